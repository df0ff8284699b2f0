/**
 * Which run a piece of knowledge comes from.
 *
 * A Temporal run is not the only one that may ever have acted for an onboard. Somebody can reset it: the new run replays
 * the old one's history up to a point, so it inherits outcomes, looks and people's approvals, and knows nothing of what the
 * old run did after that point. Somebody can also terminate it and start another. In both cases a call that the history
 * does not show may have been sent. Therefore every outcome and every look says in which run it was made, an attention
 * keeps the evidence that raised it, and an approval keeps the evidence that the person was shown. An activity sends a
 * call that may have been sent before only with an approval from its own run: one that was replayed is from another run
 * and does not count. A run that was continued as new counts as the same run (see `carry-over.ts`).
 */
export interface Evidence {
  /** The run whose activity reported it. */
  run_id: string;
  /** That run was made by a reset, so calls that its history does not show may have been sent. */
  is_reset: boolean;
}
