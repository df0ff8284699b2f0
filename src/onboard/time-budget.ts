/** The time of one attempt, from its parts. All in milliseconds. */

/** How long after it was asked for a list may be relied on by a write. */
export const FRESH_MS = 5_000;
/** How long before its time is up an attempt stops sending: a worker learns of a time-out about 5 s late. */
export const RESERVE_MS = 10_000;

/** `startToCloseTimeout` for calls of this length: the look under way, one look, a free slot, one write, the reserve. */
export const attemptMsFor = (callMs: number, reserveMs = RESERVE_MS): number => 3 * callMs + FRESH_MS + reserveMs;

/** A look whose worker has not been heard of for so long is made again by another: it changes nothing, so it need not wait out an attempt. */
export const LOOK_HEARTBEAT_MS = 10_000;
