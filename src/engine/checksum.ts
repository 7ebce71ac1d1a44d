/** The core's hash over bytes of any length that do not belong to a store's log. */
import * as layout from '../../assembly/shared/layout.js';
import type { Engine } from './engine.js';

/** So many bytes are hashed at once, and the next with what came out as their seed. */
const PIECE_SIZE = 65536;

/** Continues a checksum, whose state is its low and its high half, over more bytes. */
export function continueHash(engine: Engine, state: Uint32Array, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length; offset += PIECE_SIZE) {
    const piece = bytes.subarray(offset, offset + PIECE_SIZE);
    engine.setBound(piece);
    engine.setWord(layout.CONTROL_HASH_LOW, state[0]!);
    engine.setWord(layout.CONTROL_HASH_HIGH, state[1]!);
    engine.core.continueHash(piece.length);
    state[0] = engine.word(layout.CONTROL_HASH_LOW);
    state[1] = engine.word(layout.CONTROL_HASH_HIGH);
  }
}
