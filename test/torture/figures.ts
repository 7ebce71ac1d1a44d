/** What a part has done on one file system, and what it found. */
export class Figures {
  readonly part: string;
  readonly fileSystem: string;
  cycles = 0;
  acknowledged = 0;
  images = 0;
  milliseconds = 0;
  readonly violations: string[] = [];
  /** What belongs to one part alone, in words. */
  note = '';

  constructor(part: string, fileSystem: string) {
    this.part = part;
    this.fileSystem = fileSystem;
  }

  violate(reason: string): void {
    this.violations.push(reason);
    process.stdout.write(`VIOLATION ${this.part} ${this.fileSystem}: ${reason}\n`);
  }

  toString(): string {
    const line = `${this.part.padEnd(7)} ${this.fileSystem.padEnd(6)} cycles ${this.cycles}  acknowledged ${this.acknowledged}  images mounted ${this.images}  violations ${this.violations.length}  ${(this.milliseconds / 1000).toFixed(1)} s`;
    return this.note === '' ? line : `${line}  ${this.note}`;
  }
}
