/** How long one attempt may take, from its parts. All durations are ms. */

/** How long a write may rely on a list, from when the list was asked for. */
export const FRESH_MS = 5_000;
/** A call must end this long before its attempt times out, because a worker learns of a timeout about 5 s late. */
export const RESERVE_MS = 10_000;

/**
 * `startToCloseTimeout` for calls of this length. Three calls: the look that is under way, the next one, and the write. For as
 * long as a list is fresh, a slot and a connection may be waited for. The reserve is the worker's.
 */
export const attemptMsFor = (callMs: number, reserveMs = RESERVE_MS): number => 3 * callMs + FRESH_MS + reserveMs;

/** Heartbeat timeout of a look. A look changes nothing, so a retry need not wait until the attempt times out. */
export const LOOK_HEARTBEAT_MS = 10_000;
