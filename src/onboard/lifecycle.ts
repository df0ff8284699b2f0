/** LeadConduit's three statuses, in the order in which an onboard goes through them. It never goes back. */
export const STATUSES = ['created', 'in_progress', 'completed'] as const;
export type Status = (typeof STATUSES)[number];

interface EffectRule {
  /** The status that the call brings an onboard to. */
  reaches: Status;
  /** What a list must show to prove that the effect is missing: any onboard that was created here, or this onboard. */
  absenceProvenBy: 'an onboard of ours' | 'the onboard';
  /** Whether the call is sent once more, without a person's order, when three looks have proven that its effect is missing. */
  repeatsItself: 'always' | 'unless maybe sent before' | 'never';
  /** If an earlier run may have made one of these calls, this call counts as maybe sent before. */
  unsafeAfter: readonly string[];
  /** For people: "creating the onboard", "the create call", "create". */
  doing: string;
  call: string;
  verb: string;
}

/** The changes that we make in LeadConduit: one `POST`, then a `PUT` for each further status. */
export const EFFECTS = {
  create: {
    reaches: 'created',
    absenceProvenBy: 'an onboard of ours',
    repeatsItself: 'unless maybe sent before',
    unsafeAfter: ['create'],
    doing: 'creating the onboard',
    call: 'the create call',
    verb: 'create',
  },
  in_progress: {
    reaches: 'in_progress',
    absenceProvenBy: 'the onboard',
    repeatsItself: 'always',
    // Once the onboard may be completed, an in_progress would move it back.
    unsafeAfter: ['in_progress', 'completed'],
    doing: 'moving it to in_progress',
    call: 'the call for in_progress',
    verb: 'move to in_progress',
  },
  completed: {
    reaches: 'completed',
    absenceProvenBy: 'the onboard',
    // It sets up delivery and e-mails people.
    repeatsItself: 'never',
    unsafeAfter: ['completed'],
    doing: 'completing it',
    call: 'the call for completed',
    verb: 'complete',
  },
} as const satisfies Record<string, EffectRule>;
export type Effect = keyof typeof EFFECTS;
/** A `PUT`. */
export type Move = Exclude<Effect, 'create'>;

/** In the order in which they are made. */
export const EFFECT_NAMES = Object.keys(EFFECTS) as [Effect, ...Effect[]];
export const MOVES = EFFECT_NAMES.filter((effect) => effect !== 'create') as [Move, ...Move[]];

export const isEffect = (word: unknown): word is Effect => EFFECT_NAMES.some((effect) => effect === word);
export const isStatus = (word: unknown): word is Status => STATUSES.some((status) => status === word);

const rank = (status: Status) => STATUSES.indexOf(status);

/** The next `PUT` on the way from one status to another; undefined if that is reached already. */
export const nextMove = (from: Status, to: Status): Move | undefined =>
  MOVES.find((move) => rank(EFFECTS[move].reaches) > rank(from) && rank(EFFECTS[move].reaches) <= rank(to));

/** Whether `status` is `target` or further on; false for `failed`, for unknown words and before there is a record. */
export const hasReached = (status: string | null, target: Status): boolean =>
  isStatus(status) && rank(status) >= rank(target);

type Dated = { updated_at?: string | null };
/** Whether LeadConduit changed the record after the version that we know. If not, the list may lag behind our change. */
export const isNewer = ({ updated_at: now }: Dated, known: Dated | undefined): boolean =>
  Date.parse(now ?? '') > Date.parse(known?.updated_at ?? '');
