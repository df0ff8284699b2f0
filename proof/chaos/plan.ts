/** Everything that a crash run does, decided beforehand: the same seed gives the same plan. */

export interface Size {
  onboards: number;
  seed: number;
  minutes: number;
}

export interface Fault {
  on: 'GET' | 'POST' | 'PUT';
  /** Before the effect, which then does not come (`slow`: late), or after it. */
  when: 'before' | 'after';
  do: 'reset' | 'hang' | 'slow' | 'status' | 'html' | 'truncate' | 'foreign';
  status?: number;
  ms?: number;
  /** A look names none. */
  invitation_id?: string;
}

/** What somebody does with an onboard, `at` ms after its start was accepted. `times`: the very same message again. */
export type Deed = { at: number; key: string; times: number } & (
  | { do: 'advance'; to: 'in_progress' | 'completed'; as: 'update' | 'signal' }
  | { do: 'hold' | 'release' | 'cancel' }
  | { do: 'note' }
  | { do: 'malformed'; name: string; payload: unknown }
  | { do: 'start again' }
  /** When its run has ended: as after a cancel that somebody thinks better of. */
  | { do: 'follow again' }
);

export interface Life {
  invitation_id: string;
  /** ms after the run began. */
  at: number;
  goal: 'completed' | 'cancelled';
  /** The door at which it is started and its messages, but for signals, are handed in. */
  door: 'api' | 'client';
  deeds: Deed[];
}

/** Something that happens to the machines, `at` ms after the run began. `worker`: which of those that run. */
export type Blow =
  | { at: number; do: 'kill' | 'freeze' | 'drain'; worker: number }
  | { at: number; do: 'kill the API' | 'freeze the API' | 'drain the API' }
  | { at: number; do: 'kill the server' | 'freeze the server' | 'drain the server'; downMs: number }
  | { at: number; do: 'LeadConduit is down'; ms: number }
  | { at: number; do: 'the key is refused'; ms: number };

export interface Plan extends Size {
  lives: Life[];
  faults: Fault[];
  blows: Blow[];
}

/** Longer than the limit of a call (2 s), by up to this: with the list's lag (2.5 s) well below four settle times (8 s). */
const SLOW_MS = 2_500;
const LATE_MS = 2_000;
export const WORKERS = 3;
/** Longer than an attempt (three calls of 2 s and 15 s) and the time-out of a workflow task (10 s). */
export const FROZEN_MS = 35_000;
/** Longer than a client of the API waits for its answer (20 s), and so repeats. */
export const API_FROZEN_MS = 25_000;

/** After these, nobody can know without looking. A hang is what a kill hits best, so there are more of them. */
export const AMBIGUOUS = ['reset', 'hang', 'slow', 'status', 'html', 'truncate', 'foreign'] as const;
const MIX = [...AMBIGUOUS, 'hang', 'hang', 'slow'] as const;
/** LeadConduit's answers that leave no doubt. */
export const CLEAR_STATUSES = [429, 422, 409, 401];
/** As a payload: one that no converter of ours can read. */
export const UNDECODABLE = 'undecodable';
const MALFORMED: [string, unknown][] = [
  ['advance', UNDECODABLE],
  ['advance', { to: 'nowhere' }],
  ['advance', 'completed'],
  ['resolve', { action: 'retry', attention: 'a999' }],
  ['frobnicate', {}],
  ['hold', 7],
];

/** Numbers from 0 up to 1 (mulberry32). */
function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function planOf({ onboards, seed, minutes }: Size): Plan {
  const next = random(seed);
  const upTo = (most: number) => Math.floor(next() * most);
  const often = (share: number) => next() < share;
  const hex = () => Array.from({ length: 24 }, () => upTo(16).toString(16)).join('');
  const span = minutes * 60_000;

  let turn = upTo(MIX.length);
  /** In turn, so that a run of any size has each about as often as the others, before the effect and after. */
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
  /** Most are spared, so that the faults come all through the run. */
  const atLook = (): Fault => {
    if (!often(0.15)) return nothing('GET');
    const kind = AMBIGUOUS[upTo(AMBIGUOUS.length)]!;
    return { on: 'GET', when: 'before', do: kind, ...(kind === 'slow' ? { ms: SLOW_MS } : {}) };
  };

  const faultsOf = (id: string): Fault[] => [
    ...(often(0.6) ? [ambiguous(id, 'POST')] : often(0.3) ? [clear(id, 'POST')] : []),
    ...(often(0.05) ? [ambiguous(id, 'POST')] : []),
    ...(often(0.5) ? [ambiguous(id, 'PUT')] : often(0.2) ? [clear(id, 'PUT')] : [nothing('PUT', id)]),
    // Mostly the completing call.
    ...(often(0.4) ? [ambiguous(id, 'PUT')] : []),
    ...[atLook(), atLook()],
  ];

  const deedsOf = (n: number, cancelled: 'never' | 'once' | 'for good'): Deed[] => {
    let count = 0;
    const deed = <Kind extends object>(at: number, what: Kind, times = often(0.2) ? 2 : 1) => ({
      ...{ at, key: `${n}-${(count += 1)}`, times },
      ...what,
    });
    const advance = (to: 'in_progress' | 'completed', at: number) =>
      deed(at, { do: 'advance' as const, to, as: often(0.5) ? ('update' as const) : ('signal' as const) });
    const completeAt = 2_000 + upTo(span / 6);
    const cancelAt = upTo(completeAt);
    const [name, payload] = MALFORMED[upTo(MALFORMED.length)]!;
    return [
      // Early (before the create is done), in order, or after `completed` was asked for.
      ...(often(0.7) ? [advance('in_progress', often(0.3) ? 0 : upTo(1.3 * completeAt))] : []),
      ...(cancelled === 'never' ? [] : [deed(cancelAt, { do: 'cancel' as const }, 1)]),
      ...(cancelled === 'once' ? [deed(cancelAt, { do: 'follow again' as const }, 1)] : []),
      ...(cancelled === 'for good' ? [] : [advance('completed', completeAt)]),
      ...(often(0.5) ? [deed(upTo(completeAt), { do: 'note' as const })] : []),
      ...(often(0.2) ? [deed(upTo(completeAt), { do: 'malformed' as const, name, payload }, 1)] : []),
      ...(often(0.15) ? [deed(upTo(2_000), { do: 'hold' as const }), deed(6_000, { do: 'release' as const })] : []),
      ...(often(0.1) ? [deed(upTo(Math.min(5_000, cancelAt)), { do: 'start again' as const })] : []),
    ].sort((one, other) => one.at - other.at);
  };

  const lives = Array.from({ length: onboards }, (_, n): Life => {
    const cancelled = often(0.9) ? 'never' : often(0.5) ? 'once' : 'for good';
    const goal = cancelled === 'for good' ? 'cancelled' : 'completed';
    const door = often(0.5) ? 'api' : 'client';
    return { invitation_id: hex(), at: upTo(0.7 * span), goal, door, deeds: deedsOf(n, cancelled) };
  });

  /** Spread over the run; each at a random moment of its own share. */
  const spread = <Kind extends object>(count: number, blow: () => Kind) =>
    Array.from({ length: count }, (_, n) => ({ at: Math.floor(((n + next()) / count) * 0.95 * span), ...blow() }));
  const share = (each: number, least: number) => Math.max(least, Math.ceil(onboards / each));
  const worker = () => upTo(WORKERS);
  const downMs = () => 500 + upTo(2_500);
  const blows: Blow[] = [
    ...spread(share(6.5, 3), () => ({ do: 'kill' as const, worker: worker() })),
    ...spread(share(30, 1), () => ({ do: 'freeze' as const, worker: worker() })),
    ...spread(share(40, 1), () => ({ do: 'drain' as const, worker: worker() })),
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
    faults: lives.flatMap(({ invitation_id }) => faultsOf(invitation_id)),
    blows,
  };
}
