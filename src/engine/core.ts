/**
 * The exports of the core as TypeScript sees them; `assembly/index.ts` says what each does. Pointers and 32-bit sizes may come back negative
 * above 2 GiB: `>>> 0` makes them whole again.
 */
export interface Core {
  createWindows(): number;
  superblockWindow(): number;
  readSuperblocks(): number;
  init(segmentShift: number, inMemory: boolean, isNew: boolean): void;
  createStore(): number;
  put(keySize: number, valueSize: number, kind: number): number;
  del(keySize: number): number;
  cas(keySize: number, valueSize: number, flags: number, expected: number): number;
  get(keySize: number): number;
  partCount(): number;
  largeSize(): number;
  partAt(list: number, index: number): number;
  makeRoom(size: number, reserved: boolean): number;
  beginBatch(): number;
  makeBatchRoom(size: number, reserved: boolean): number;
  hasToDelete(keySize: number): number;
  stageRecord(keySize: number, valueSize: number, flags: number): void;
  stagePart(size: number): number;
  partListSize(): number;
  stageLarge(keySize: number, kind: number): void;
  commitBatch(): number;
  abortBatch(): void;
  closeFrame(time: number): number;
  sealLog(time: number): number;
  nextOutput(): number;
  outputDone(): number;
  writtenAddress(): number;
  flushed(address: number): void;
  freedSlot(): number;
  needsSuperblock(): number;
  slotReady(slot: number): number;
  unpreparedNextSlot(): number;
  nextSlotReady(): void;
  tailNextSlot(): number;
  buildSuperblock(ceiling: number, isClean: boolean): number;
  superblockDurable(): void;
  slotBlock(): number;
  releaseSlotBlock(block: number): void;
  examineSlot(block: number, slot: number): number;
  adoptStoreId(block: number): void;
  adoptSlot(block: number, slot: number): number;
  startLiveList(): void;
  nextLive(): number;
  isAdopted(sequence: number): number;
  dropUnlisted(): void;
  scan(): number;
  discardedSegments(): number;
  isTailDirty(): number;
  startRewrite(): number;
  tailRest(): number;
  link(): number;
  startSalvage(): number;
  salvageNext(): number;
  verify(): number;
  nextSegmentSlot(isFirst: boolean): number;
  isSegmentLive(): number;
  verifySlotBytes(block: number): number;
  lastVersion(): number;
  readySlotCount(): number;
  stats(): void;
  setChecks(isOn: boolean): void;
}
