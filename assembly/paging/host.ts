/**
 * What the core asks of those outside: bytes of the file that are not in memory, as a processor asks for a page. It is the one thing that it asks for. Both may end the call of the core that
 * they come from with an error; what must not be left half-done is said to be `Changing` meanwhile.
 */
import * as layout from '../shared/layout';
import { requires } from '../verify/contract';

/** Reads `size` bytes at an offset of a slot to `pointer`. What lies behind the end of the file is zero. An error of the device comes out of the core. */
@external('env', 'readSlot')
export declare function readSlot(slot: u32, offset: u32, pointer: usize, size: u32): void;

/** As `readSlot`, for bytes that nobody has asked for yet. Returns whether they could be had. */
@external('env', 'readAhead')
export declare function readAhead(slot: u32, offset: u32, pointer: usize, size: u32): bool;

/** Ends the call of the core with the error for a status: STATUS_CORRUPT, the damage in the control block, or STATUS_MEMORY_FULL. Never returns. */
@external('env', 'refuse')
export declare function refuse(status: i32): void;

/** From here on an error that comes out of the core leaves something half-done, and the store must stop. */
export function beginChange(): void {
  store<u32>(layout.CONTROL_IS_CHANGING, 1);
}

export function endChange(): void {
  requires(load<u32>(layout.CONTROL_IS_CHANGING) == 1);
  store<u32>(layout.CONTROL_IS_CHANGING, 0);
}
