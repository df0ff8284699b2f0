import type { AttentionCode } from '../../src/onboard/attention';
import { FLOW, Given, listed, OTHER_FLOW, OURS, seen, SETTLE, THEIRS } from './given';

/** For each code, an onboard with that attention open. */
export const AT: Record<AttentionCode, () => Given> = {
  refused: () => new Given().tried('create', { kind: 'refused', words: 'no', http_status: 422, look_first: false }),
  credentials: () => new Given().tried('create', { kind: 'credentials', words: 'no', http_status: 401, at_look: true }),
  unknown_outcome: () =>
    new Given()
      .created()
      .moved('in_progress')
      .told({ name: 'advance', to: 'completed' })
      .lost('completed', listed(seen('in_progress'))),
  absence_unproven: () =>
    new Given()
      .tried('create', { kind: 'unknown', words: 'reset' })
      .later(SETTLE)
      .looked('effect', { ...listed(), proves_absence: false, lacks: [THEIRS] } as never),
  duplicate: () => new Given().tried('create', { kind: 'duplicate', onboard_ids: [OURS, THEIRS] }),
  flow_conflict: () =>
    new Given({ flow_id: FLOW }).tried('create', {
      kind: 'done',
      adopted: true,
      seen: seen('created', { flow_id: OTHER_FLOW }),
    }),
  failed_upstream: () =>
    new Given()
      .created()
      .moved('in_progress', 'completed')
      .told({ name: 'look' })
      .looked('check', listed(seen('failed'))),
  unexpected_status: () =>
    new Given()
      .created()
      .told({ name: 'look' })
      .looked('check', listed(seen('archived'))),
  list_unreadable: () => {
    const given = new Given();
    const unusable = { kind: 'not_sent', words: 'a part', unusable_look: true, lacks: [THEIRS] } as const;
    for (let n = 0; n < 5; n += 1) given.tried('create', { ...unusable, lacks: [...unusable.lacks] });
    return given;
  },
  not_listed: () => {
    const given = new Given().created().told({ name: 'advance', to: 'in_progress' });
    given.tried('in_progress', { kind: 'not_listed', words: 'It is not listed.' });
    return given.later(4 * SETTLE).tried('in_progress', { kind: 'not_listed', words: 'It is not listed.' });
  },
  not_sent: () => {
    const given = new Given();
    for (let n = 0; n < 12; n += 1) given.tried('create', { kind: 'not_sent', words: 'no connection' });
    return given;
  },
};
