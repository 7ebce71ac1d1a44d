/** Messages over a console that the kernel writes to as well, and that a power cut may end in the middle of a line: each line carries a checksum, and what is not whole was not said. */
import { crc32 } from 'node:zlib';
import type { State } from './workload.js';

const MARK = '@varve ';

/** What a guest says to its host. */
export type Message =
  | { readonly type: 'booted' }
  /** The file system is mounted, the store is open, and holds what it must: this is the state in which it ends. */
  | { readonly type: 'recovered'; readonly state: State }
  | { readonly type: 'acknowledged'; readonly number: number; readonly version: number; readonly shown: number }
  | { readonly type: 'violation'; readonly reason: string }
  | { readonly type: 'trouble'; readonly reason: string };

/** A message as a line. */
export function lineOf(message: Message): string {
  const text = JSON.stringify(message);
  return `${MARK}${crc32(text).toString(16).padStart(8, '0')} ${text}\n`;
}

/** The message of a line, or undefined for a line that is none, or not whole. */
export function messageOf(line: string): Message | undefined {
  const from = line.indexOf(MARK);
  if (from < 0) return undefined;
  const sum = line.slice(from + MARK.length, from + MARK.length + 8);
  const text = line.slice(from + MARK.length + 9).trimEnd();
  return crc32(text).toString(16).padStart(8, '0') === sum ? (JSON.parse(text) as Message) : undefined;
}
