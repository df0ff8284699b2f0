/** A list that does not show what this key creates would make every look lie: what it does not show is never acted on. */
import type { OnboardView } from '../src/onboard/view';
import { spawnWorker, kill9 } from '../test/support/worker-process';
import { World } from '../test/support/world';
import { eventually, Onboard, thrice, type Together } from './support/operators';

const HIDDEN = { options: { presence: false } } as const;
const hide = ({ world }: Onboard, together: Together, hide_created = true) =>
  together(() => world.emulate({ hide_created }));
const unproven = (onboard: Onboard) =>
  onboard.until('unproven', ({ attention }) => attention?.code === 'absence_unproven');
const settleTimes = (state: OnboardView, count: number) =>
  eventually('waited', () => Promise.resolve(Date.now() > Date.parse(state.attention!.since) + count * 250));

test.concurrent.each(['before', 'after'] as const)('a lost create, %s its effect, is not repeated by itself', (when) =>
  thrice({ ...HIDDEN, faults: [{ on: 'POST', when, do: 'reset' }] }, async (onboard, together) => {
    await hide(onboard, together);
    await onboard.start();
    await settleTimes(await unproven(onboard), 10);
    expect(await onboard.effects()).toMatchObject({ posts: 1, creates: when === 'after' ? 1 : 0 });
  }),
);

test.concurrent('nor is it when a person adopts what cannot be seen; shown after all, it is taken', () =>
  thrice({ ...HIDDEN, faults: [{ on: 'POST', when: 'after', do: 'reset' }] }, async (onboard, together) => {
    await hide(onboard, together);
    await onboard.start();
    const { attention } = await unproven(onboard);
    await onboard.send({ name: 'resolve', action: 'adopt' });
    await onboard.until(
      'asked again',
      (state) => state.attention !== undefined && state.attention.id !== attention!.id,
    );
    await hide(onboard, together, false);
    await onboard.created();
    expect(await onboard.effects()).toMatchObject({ posts: 1, creates: 1 });
  }),
);

test.concurrent('whoever has looked elsewhere may order the repeat', () =>
  thrice({ ...HIDDEN, faults: [{ on: 'POST', when: 'before', do: 'reset' }] }, async (onboard, together) => {
    await hide(onboard, together);
    await onboard.start();
    await unproven(onboard);
    await onboard.send({ name: 'resolve', action: 'retry' });
    await onboard.created();
    expect(await onboard.effects()).toMatchObject({ posts: 2, creates: 1 });
  }),
);

test.concurrent('a list that showed it once and does not any more is believed no longer', () =>
  thrice({ faults: [{ on: 'POST', when: 'after', do: 'reset' }] }, async (onboard, together) => {
    await hide(onboard, together);
    await onboard.start();
    await settleTimes(await unproven(onboard), 10);
    expect(await onboard.effects()).toMatchObject({ posts: 1, creates: 1 });
  }),
);

test.concurrent('a call for an onboard that is not listed any more is not made', () =>
  thrice({ from: 'created' }, async (onboard, together) => {
    await hide(onboard, together);
    await onboard.signal('advance', { to: 'completed' });
    await onboard.until('not listed', ({ attention }) => attention?.code === 'not_listed');
    expect(await onboard.effects()).toMatchObject({ puts: 0 });
  }),
);

test.concurrent('a lost completing call of an onboard that is not listed any more is for a person, too', () => {
  const options = { settings: { LEADCONDUIT_TIMEOUT: '30s' } };
  const faults = [{ on: 'PUT', when: 'before', do: 'hang' }] as const;
  return thrice({ options, from: 'in_progress', faults: [...faults] }, async (onboard, together) => {
    await onboard.signal('advance', { to: 'completed' });
    await onboard.sent('puts', 2);
    await hide(onboard, together);
    await together(() => onboard.world.mend()); // lets go of their calls
    await settleTimes(await unproven(onboard), 10);
    expect(await onboard.effects()).toMatchObject({ puts: 2, completes: 0 });
  });
});

test.concurrent('presence is not forgotten over a restart of the worker', async () => {
  const world = await World.start({ presence: false });
  const seen = new Onboard(world);
  await seen.start();
  await seen.created();
  await eventually('listed', async () => (await world.onboards.lists.known(1)).length === 1);
  await world.stopWorker();
  const worker = await spawnWorker(world);
  try {
    const next = new Onboard(world);
    await world.faults({ on: 'POST', when: 'before', do: 'reset' });
    await next.start();
    await next.created();
    expect(await next.effects()).toMatchObject({ posts: 2, creates: 1 });
  } finally {
    await kill9(worker);
    await world.close();
  }
});
