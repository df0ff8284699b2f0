/** The search for the marked key finds it in every notation, and nothing where there is nothing. */
import { KEY, traces } from './support/marked-key';
import { SAYING } from './support/talkative';

describe('the search itself finds the key', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const percent = (text: string) => text.replace(/./gs, (c) => `%${c.charCodeAt(0).toString(16)}`);
  test.each([
    ['plain', `a ${KEY} b`],
    ['in other case', KEY.toUpperCase()],
    ['in Base64', base64(KEY)],
    ['in Base64, as in the header', base64(`API:${KEY}`)],
    ['in Base64, at any place', base64(`xx${KEY}yyy`)],
    ['in Base64 for URLs', Buffer.from(`API:${KEY}`).toString('base64url')],
    ['percent-encoded', encodeURIComponent(KEY)],
    ['percent-encoded throughout', percent(KEY)],
    ['in Base64, percent-encoded', percent(base64(KEY))],
    ['as JSON', JSON.stringify({ a: JSON.stringify({ KEY }) })],
  ])('%s', (_, text) => {
    expect(traces(text)).not.toEqual([]);
  });

  test('and nothing where there is nothing', () => {
    expect(traces(`${SAYING} *** ${base64('API:another-key-of-this-length')}`)).toEqual([]);
  });
});
