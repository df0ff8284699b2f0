/** The plan of a crash run: its seed alone decides it, and every fault and blow is in it. */
import { AMBIGUOUS, LISTS, OLD_LOOK_MS, planOf } from './chaos/plan';

const SIZE = { onboards: 300, seed: 1, minutes: 5 };

test('the same seed gives the same plan, another one another', () => {
  expect(planOf(SIZE)).toEqual(planOf(SIZE));
  expect(planOf({ ...SIZE, seed: 2 })).not.toEqual(planOf(SIZE));
});

test.each([1, 2, 3, 4, 5])('300 onboards meet enough of everything: seed %i', (seed) => {
  const { blows, faults, rivals, lives } = planOf({ ...SIZE, seed });
  const count = (what: string) => blows.filter((blow) => blow.do === what).length;
  expect(count('kill')).toBeGreaterThanOrEqual(40);
  expect(count('freeze')).toBeGreaterThanOrEqual(10);
  expect(count('shut down the SDK')).toBeGreaterThanOrEqual(6);
  expect(count('kill the server')).toBeGreaterThanOrEqual(5);
  for (const what of ['freeze the server', 'drain the server', 'freeze the API', 'drain the API'])
    expect(count(what)).toBeGreaterThanOrEqual(2);
  for (const kind of AMBIGUOUS)
    for (const when of ['before', 'after'])
      expect(
        faults.filter(({ on, ...fault }) => on !== 'GET' && fault.do === kind && fault.when === when).length,
      ).toBeGreaterThanOrEqual(12);
  for (const kind of LISTS) expect(faults.filter((fault) => fault.do === kind).length).toBeGreaterThanOrEqual(12);
  expect(faults.filter(({ ms }) => ms === OLD_LOOK_MS).length).toBeGreaterThanOrEqual(8);
  for (const when of ['before us', 'with us'])
    expect(rivals.filter((rival) => rival.when === when).length).toBeGreaterThanOrEqual(12);
  const deeds = lives.flatMap((life) => life.deeds);
  for (const what of ['sets the flow', 'takes the status back', 'completes'])
    expect(
      deeds.filter((deed) => deed.do === 'change elsewhere' && deed.change.what === what).length,
    ).toBeGreaterThanOrEqual(12);
  const late = lives.filter(({ deeds }) => {
    const completing = deeds.find((deed) => deed.do === 'advance' && deed.to === 'completed')?.at ?? Infinity;
    return deeds.some(
      ({ do: what, at }) => ['hold', 'cancel'].includes(what) && at >= completing && at < completing + 800,
    );
  });
  expect(late.length).toBeGreaterThanOrEqual(50);
});
