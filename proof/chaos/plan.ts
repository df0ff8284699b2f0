/** Everything that a crash run does, decided beforehand: the same seed gives the same plan. */

import { deedsOf, type Change, type Deed } from './deeds';
import { diceOf } from './dice';

export interface Size {
  onboards: number;
  seed: number;
  minutes: number;
}

export interface Fault {
  on: 'GET' | 'POST' | 'PUT';
  /** Before the effect, which then does not come (with `slow`, it comes late), or after it. */
  when: 'before' | 'after';
  do: 'reset' | 'hang' | 'slow' | 'status' | 'html' | 'truncate' | 'foreign' | 'partial' | 'page' | 'stale';
  status?: number;
  ms?: number;
  /** Of a list: how many records it shows. */
  keep?: number;
  /** A look names none. */
  invitation_id?: string;
}

export interface Life {
  invitation_id: string;
  /** ms after the run began. */
  at: number;
  goal: 'completed' | 'cancelled';
  flow_id?: string;
  /** The door at which the onboard is started and its messages, except signals, are handed in. */
  door: 'api' | 'client';
  deeds: Deed[];
}

/** Another client of the account creates an onboard for an invitation of ours, `at` ms after the run began. */
export interface Rival {
  at: number;
  invitation_id: string;
  /** Before we begin, or as soon as our create has come in. */
  when: 'before us' | 'with us';
}

/** Something that happens to the machines, `at` ms after the run began. `worker`: which of those that run. */
export type Blow =
  | { at: number; do: 'kill' | 'freeze' | 'drain' | 'shut down the SDK'; worker: number }
  | { at: number; do: 'kill the API' | 'freeze the API' | 'drain the API' }
  | { at: number; do: 'kill the server' | 'freeze the server' | 'drain the server'; downMs: number }
  | { at: number; do: 'LeadConduit is down'; ms: number }
  | { at: number; do: 'the key is refused'; ms: number };

export interface Plan extends Size {
  lives: Life[];
  faults: Fault[];
  blows: Blow[];
  rivals: Rival[];
}

/** The time limit of a call. Longer than a list may be relied on (5 s), so that a list can come too late to be used. */
export const LIMIT_MS = 7_000;
/**
 * A slow call takes at least this long, which is more than the limit, and up to `LATE_MS` longer. With the list's lag (2.5 s)
 * that is below four settle times (14 s), so that a call that is broken off at once, and carried out all the same, is listed
 * before absence counts for good.
 */
const SLOW_MS = LIMIT_MS + 500;
const LATE_MS = 2_000;
/** How long a list takes that comes too late: longer than it may be relied on. */
export const OLD_LOOK_MS = 5_500;
/** How long a list takes, at least, that is slow but in time: a hold or a cancel may come meanwhile. */
const LOOK_MS = 1_000;
/** The age of a stale list, at least: older than what another client does before our next call, and than our last lists. */
const STALE_MS = 20_000;
/** How long before us another client creates, at least: the list, which lags, shows it when we begin. */
const RIVAL_MS = 4_000;
export const WORKERS = 3;
/** The latest completing order after a start: else a longer run has more onboards open at once, which each kill makes others replay. */
const MOST_OPEN_MS = 50_000;
/** The run of `npm run proof`. */
const SHORT = { onboards: 300, minutes: 5 };
/**
 * In a longer run, for how many onboards a minute there are as many blows as in the short one. With 20, at 44 new onboards a
 * minute, two cores were behind for good after a quarter of an hour: workers that have just started are slow, and replay.
 */
const STRUCK_A_MINUTE = 5;
/** Longer than an attempt (three calls of 7 s and 15 s) and the time-out of a workflow task (10 s). */
export const FROZEN_MS = 50_000;
/** Longer than a client of the API waits for its answer (20 s), and so repeats. */
export const API_FROZEN_MS = 25_000;

/** After these faults, only a look can tell. A kill mostly meets a call that hangs, so `MIX` has more of those. */
export const AMBIGUOUS = ['reset', 'hang', 'slow', 'status', 'html', 'truncate', 'foreign'] as const;
const MIX = [...AMBIGUOUS, 'hang', 'hang', 'slow'] as const;
/** Lists that do not tell the truth. */
export const LISTS = ['partial', 'page', 'stale'] as const;
/** LeadConduit's answers that leave no doubt. */
export const CLEAR_STATUSES = [429, 422, 409, 401];
const OTHERS = ['before us', 'with us', 'sets the flow', 'takes the status back', 'completes'] as const;
export function planOf({ onboards, seed, minutes }: Size): Plan {
  const dice = diceOf(seed);
  const { next, upTo, often, hex } = dice;
  const span = minutes * 60_000;

  let turn = upTo(MIX.length);
  /** Takes the kinds in turn, so that a run of any size has each about as often, before the effect and after. */
  const ambiguous = (invitation_id: string, on: Fault['on']): Fault => {
    const kind = MIX[turn % MIX.length]!;
    const when = Math.floor(turn / MIX.length) % 2 === 0 ? 'before' : 'after';
    turn += 1;
    const extra =
      kind === 'status'
        ? { status: [500, 502, 503, 408][upTo(4)] }
        : kind === 'slow'
          ? { ms: SLOW_MS + upTo(LATE_MS) }
          : {};
    return { on, when, do: kind, invitation_id, ...extra };
  };
  const clear = (invitation_id: string, on: Fault['on']): Fault => ({
    ...{ on, when: 'before', do: 'status', invitation_id },
    status: CLEAR_STATUSES[upTo(CLEAR_STATUSES.length)],
  });
  const nothing = (on: Fault['on'], invitation_id?: string): Fault => ({
    ...{ on, when: 'after', do: 'slow', ms: 1 },
    ...(invitation_id === undefined ? {} : { invitation_id }),
  });
  let looks = upTo(LISTS.length);
  /** Most looks are spared, so that the faults last through the whole run. */
  const atLook = (): Fault => {
    if (often(0.15)) return { on: 'GET', when: 'after', do: 'slow', ms: LOOK_MS + upTo(LOOK_MS) };
    if (often(0.12)) {
      looks += 1;
      const kind = LISTS[looks % LISTS.length]!;
      const how = kind === 'stale' ? { ms: STALE_MS + upTo(STALE_MS) } : { keep: upTo(onboards / 3) };
      return { on: 'GET', when: 'before', do: kind, ...how };
    }
    if (often(0.06)) return { on: 'GET', when: 'after', do: 'slow', ms: OLD_LOOK_MS };
    if (!often(0.1)) return nothing('GET');
    const kind = AMBIGUOUS[upTo(AMBIGUOUS.length)]!;
    return { on: 'GET', when: 'before', do: kind, ...(kind === 'slow' ? { ms: SLOW_MS } : {}) };
  };

  /** @param isShared another client changes it between our calls: faults would not meet ours. */
  const faultsOf = (id: string, isShared: boolean): Fault[] => [
    ...(often(0.6) ? [ambiguous(id, 'POST')] : often(0.3) ? [clear(id, 'POST')] : []),
    ...(often(0.05) ? [ambiguous(id, 'POST')] : []),
    ...(isShared
      ? []
      : [
          often(0.5) ? ambiguous(id, 'PUT') : often(0.2) ? clear(id, 'PUT') : nothing('PUT', id),
          // Mostly the completing call.
          ...(often(0.4) ? [ambiguous(id, 'PUT')] : []),
        ]),
    ...[atLook(), atLook()],
  ];

  const rivals: Rival[] = [];
  const faults: Fault[] = [];
  let others = 0;
  /** Takes in turn, as above, what another client does with an onboard. */
  const shared = (invitation_id: string, at: number): Change | undefined => {
    const what = OTHERS[others % OTHERS.length]!;
    others += 1;
    if (what === 'sets the flow') return { what, flow_id: hex() };
    if (what !== 'before us' && what !== 'with us') return { what };
    rivals.push({ invitation_id, when: what, at: what === 'with us' ? at : at - RIVAL_MS - upTo(1_500) });
    return undefined;
  };
  const lives = Array.from({ length: onboards }, (_, n): Life => {
    const [invitation_id, at] = [hex(), 2 * RIVAL_MS + upTo(0.7 * span)];
    const door = often(0.5) ? 'api' : 'client';
    const cancelled = often(0.85) ? 'never' : often(0.7) ? 'once' : 'for good';
    const change = cancelled === 'never' && often(0.35) ? shared(invitation_id, at) : undefined;
    faults.push(...faultsOf(invitation_id, change !== undefined));
    return {
      ...{ invitation_id, at, door },
      ...(change?.flow_id === undefined ? {} : { flow_id: hex() }),
      goal: cancelled === 'for good' ? 'cancelled' : 'completed',
      deeds: deedsOf(dice, n, { cancelled, completeAt: 2_000 + upTo(Math.min(span / 6, MOST_OPEN_MS)), change }),
    };
  });

  /** Spread over the run; each at a random moment of its own share. */
  const spread = <Kind extends object>(count: number, blow: () => Kind) =>
    Array.from({ length: count }, (_, n) => ({ at: Math.floor(((n + next()) / count) * 0.95 * span), ...blow() }));
  // A process that starts costs two cores two to three seconds: beyond five minutes, more of them would do nothing but start.
  const struck = Math.min(onboards, SHORT.onboards + STRUCK_A_MINUTE * Math.max(0, minutes - SHORT.minutes));
  const share = (each: number, least: number) => Math.max(least, Math.ceil(struck / each));
  const worker = () => upTo(WORKERS);
  const downMs = () => 500 + upTo(2_500);
  const blows: Blow[] = [
    ...spread(share(6.5, 3), () => ({ do: 'kill' as const, worker: worker() })),
    ...spread(share(30, 1), () => ({ do: 'freeze' as const, worker: worker() })),
    ...spread(share(40, 1), () => ({ do: 'drain' as const, worker: worker() })),
    ...spread(share(50, 1), () => ({ do: 'shut down the SDK' as const, worker: worker() })),
    ...spread(share(20, 2), () => ({ do: 'kill the API' as const })),
    ...spread(share(150, 1), () => ({ do: 'freeze the API' as const })),
    ...spread(share(100, 1), () => ({ do: 'drain the API' as const })),
    ...spread(share(60, 1), () => ({ do: 'kill the server' as const, downMs: downMs() })),
    ...spread(share(100, 1), () => ({ do: 'freeze the server' as const, downMs: 2 * downMs() })),
    ...spread(share(150, 1), () => ({ do: 'drain the server' as const, downMs: downMs() })),
    ...spread(share(60, 1), () => ({ do: 'LeadConduit is down' as const, ms: 500 + upTo(2_000) })),
    ...spread(share(100, 1), () => ({ do: 'the key is refused' as const, ms: 500 + upTo(1_000) })),
  ].sort((one, other) => one.at - other.at);

  return {
    onboards,
    seed,
    minutes,
    lives,
    faults,
    blows,
    rivals,
  };
}
