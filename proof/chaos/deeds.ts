/** What people do with one onboard in a crash run. */
import type { Dice } from './dice';

/** What another client of the account, or somebody at LeadConduit's own screen, does to an onboard of ours. */
export interface Change {
  what: 'sets the flow' | 'takes the status back' | 'completes';
  flow_id?: string;
}
/** How long before our next call it does so, ms: longer than any list is relied on. */
const ELSEWHERE_MS = 12_000;

/** What somebody does with an onboard, `at` ms after its start was accepted. `times`: how often the same message is sent. */
export type Deed = { at: number; key: string; times: number } & (
  | { do: 'advance'; to: 'in_progress' | 'completed'; as: 'update' | 'signal' }
  | { do: 'hold' | 'release' | 'cancel' }
  | { do: 'note' }
  | { do: 'malformed'; name: string; payload: unknown }
  /** It takes its time, and delays the deeds that follow. */
  | { do: 'change elsewhere'; change: Change }
  | { do: 'start again' }
  /** When its run has ended: as after a cancel that somebody regrets. */
  | { do: 'follow again' }
);

/** Stands for a payload that no converter of ours can read. */
export const UNDECODABLE = 'undecodable';
const MALFORMED: [string, unknown][] = [
  ['advance', UNDECODABLE],
  ['advance', { to: 'nowhere' }],
  ['advance', 'completed'],
  ['resolve', { action: 'retry', attention: 'a999' }],
  ['frobnicate', {}],
  ['hold', 7],
];

/** What is planned for an onboard. */
interface Course {
  cancelled: 'never' | 'once' | 'for good';
  /** When the completing call is ordered, ms after its start was accepted. */
  completeAt: number;
  /** What another client does between in_progress and the completing call. */
  change?: Change;
}

export function deedsOf({ upTo, often }: Dice, n: number, { cancelled, completeAt, change }: Course): Deed[] {
  let count = 0;
  const deed = <Kind extends object>(at: number, what: Kind, times = often(0.2) ? 2 : 1) => ({
    ...{ at, key: `${n}-${(count += 1)}`, times },
    ...what,
  });
  const advance = (to: 'in_progress' | 'completed', at: number) =>
    deed(at, { do: 'advance' as const, to, as: often(0.5) ? ('update' as const) : ('signal' as const) });
  // Many change their minds just after they have ordered the completing call, which may be out already.
  const isLate = often(0.5);
  const thought = () => completeAt + upTo(800);
  const cancelAt = isLate ? thought() : upTo(completeAt);
  const [name, payload] = MALFORMED[upTo(MALFORMED.length)]!;
  const hold = (at: number, ms: number) => [
    deed(at, { do: 'hold' as const }),
    deed(at + ms, { do: 'release' as const }),
  ];
  return [
    // Early (before the create is done), in order, or after `completed` was asked for.
    ...(change || often(0.7) ? [advance('in_progress', change || often(0.3) ? 0 : upTo(1.3 * completeAt))] : []),
    ...(change ? [deed(Math.max(0, completeAt - ELSEWHERE_MS), { do: 'change elsewhere' as const, change }, 1)] : []),
    ...(cancelled === 'for good' && !isLate ? [] : [advance('completed', completeAt)]),
    ...(cancelled === 'never' ? [] : [deed(cancelAt, { do: 'cancel' as const }, 1)]),
    ...(cancelled === 'once' ? [deed(cancelAt, { do: 'follow again' as const }, 1)] : []),
    // The new run does not know what the old one was asked for.
    ...(cancelled === 'once' && isLate ? [advance('completed', cancelAt)] : []),
    ...(often(0.5) ? [deed(upTo(completeAt), { do: 'note' as const })] : []),
    ...(often(0.2) ? [deed(upTo(completeAt), { do: 'malformed' as const, name, payload }, 1)] : []),
    // An onboard that another client is to change must get on first, so nobody holds it.
    ...(!change && often(0.15) ? hold(upTo(1_000), 6_000) : []),
    ...(cancelled === 'never' && often(0.5) ? hold(thought(), 6_000) : []),
    ...(often(0.1) ? [deed(upTo(Math.min(5_000, cancelAt)), { do: 'start again' as const })] : []),
  ].sort((one, other) => one.at - other.at);
}
