import { AMBIGUOUS, planOf } from './chaos/plan';

const SIZE = { onboards: 300, seed: 1, minutes: 5 };

test('the same seed gives the same plan, another one another', () => {
  expect(planOf(SIZE)).toEqual(planOf(SIZE));
  expect(planOf({ ...SIZE, seed: 2 })).not.toEqual(planOf(SIZE));
});

test.each([1, 2, 3, 4, 5])('300 onboards meet enough of everything: seed %i', (seed) => {
  const { blows, faults } = planOf({ ...SIZE, seed });
  const count = (what: string) => blows.filter((blow) => blow.do === what).length;
  expect(count('kill')).toBeGreaterThanOrEqual(40);
  expect(count('freeze')).toBeGreaterThanOrEqual(10);
  expect(count('kill the server')).toBeGreaterThanOrEqual(5);
  for (const what of ['freeze the server', 'drain the server', 'freeze the API', 'drain the API'])
    expect(count(what)).toBeGreaterThanOrEqual(2);
  for (const kind of AMBIGUOUS)
    for (const when of ['before', 'after'])
      expect(
        faults.filter(({ on, ...fault }) => on !== 'GET' && fault.do === kind && fault.when === when).length,
      ).toBeGreaterThanOrEqual(12);
});
