/** Which lists are believed, by what is known of the onboards that they do not show. */
import { ListTrust } from '../../src/activities/list-trust';
import type { Look } from '../../src/leadconduit/shared-looks';
import { readLook } from '../../src/leadconduit/shared-looks';

const LAG = 1_000;
const list = (...ids: string[]) =>
  readLook(
    ids.map((id) => ({ id, invitation_id: id })),
    {},
    Date.now(),
    Date.now(),
  ) as Look;
const old = () => Date.now() - 2 * LAG;

describe('an onboard that was created here and that no list has shown', () => {
  test('must be listed in time, where the list shows others that were created here', async () => {
    const trust = new ListTrust();
    trust.add('a');
    expect(await trust.lackedBy(list('a'), LAG)).toEqual([]);
    trust.add('b', { since: old() });
    trust.add('c');
    expect(await trust.lackedBy(list('a'), LAG)).toEqual(['b']);
    expect(await trust.lackedBy(list('a', 'b'), LAG)).toEqual([]);
  });

  test('need not be where no list has shown any: this key may not list what it creates', async () => {
    const trust = new ListTrust();
    trust.add('a', { since: old() });
    trust.add('elsewhere', { isOurs: false, isListed: true });
    expect(await trust.lackedBy(list('elsewhere'), LAG)).toEqual([]);
    expect(await trust.lackedBy(list(), LAG)).toEqual(['elsewhere']);
  });
});

describe('an onboard that a person knows to be gone', () => {
  test('is not missed, where another worker was told so; all who share a look share the question', async () => {
    const asked: (readonly string[])[] = [];
    const trust = new ListTrust((ids) => {
      asked.push(ids);
      return Promise.resolve(['a']);
    });
    trust.add('a', { isListed: true });
    trust.add('b', { isListed: true });
    const look = list();
    expect(await Promise.all([trust.lackedBy(look, LAG), trust.lackedBy(look, LAG)])).toEqual([['b'], ['b']]);
    expect(asked).toEqual([['a', 'b']]);
  });

  test('is missed as long as nobody can be asked', async () => {
    const trust = new ListTrust(() => Promise.reject(new Error('Temporal is away')));
    trust.add('a', { isListed: true });
    expect(await trust.lackedBy(list(), LAG)).toEqual(['a']);
  });
});
