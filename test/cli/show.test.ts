/** What `show` makes of a state: pure text, so that every line of it can be looked at. */
import { stripVTControlCharacters } from 'node:util';
import { narrator } from '../../src/cli/narrator';
import { showText } from '../../src/cli/describe';
import type { OnboardView } from '../../src/onboard/view';
import type { TimelineLine } from '../../src/onboard/journal';

const NOW = Date.parse('2026-08-03T02:00:00Z');
const ID = '64b8f0f5e4b0c3a1d5e6f7a8';
const at = (time: string) => `2026-08-${time}:00Z`;
const screen = { colours: false, now: NOW };

const state = (parts: Partial<OnboardView> = {}): OnboardView => ({
  invitation_id: ID,
  label: 'Acme Solar',
  status: 'created',
  phase: 'attention',
  held: false,
  record: { id: '5fd4371e940df5a34a3888b2', invitation_id: ID, status: 'created', flow_id: null },
  waiting_for: { who: 'operator', text: 'a decision: The answer was lost.' },
  since: at('02T23:00'),
  attention: { id: 'a2', code: 'unknown_outcome', message: 'The answer was lost.', since: at('02T23:00') },
  actions: ['advance in_progress', 'resolve retry', 'resolve adopt', 'cancel', 'note'],
  ledger: [
    { n: 1, effect: 'create', intended_at: at('01T10:00'), outcome: 'done', http_status: 201 },
    { n: 2, effect: 'in_progress', intended_at: at('02T22:50'), outcome: 'unknown', words: 'no answer in 15 s' },
  ],
  timeline: [
    { at: at('01T10:00'), event: 'started' },
    { at: at('02T22:50'), event: 'advance_asked', by: 'ann', reason: 'flow is known', detail: 'in_progress' },
    { at: at('02T22:50'), event: 'unknown', detail: 'moving it to in_progress: no answer in 15 s' },
  ],
  as_of: '2026-08-03T02:00:00Z',
  stale: false,
  ...parts,
});
const shown = (parts?: Partial<OnboardView>, on: Parameters<typeof showText>[1] = screen) =>
  showText(state(parts), on).replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME');

test('one screen: where it stands, what may be done, what was sent, who did what', () => {
  const run = 'npm run -s onboards --';
  expect(shown().replace(/\(\S+\)\.$/, '(ZONE).')).toBe(
    `Invitation  ${ID}
Label       Acme Solar
Onboard     5fd4371e940df5a34a3888b2
Flow        none yet (advance --flow-id sets it)
Status      created
Phase       attention, for 3 hours (since TIME)
Waits for   an operator: a decision
Next        nothing until somebody acts

Attention a2: unknown_outcome
  The answer was lost.

What may be done
  ${run} advance ${ID} --to in_progress               go on to in_progress: the flow is known
  ${run} resolve ${ID} --action retry --attention a2  look again, and send the call once more if it is missing
  ${run} resolve ${ID} --action adopt --attention a2  say that the call took effect, as you have checked
  ${run} cancel ${ID}                                 stop following it; what is in LeadConduit stays
  ${run} note ${ID} "<text>"                          put a line into its timeline

Sent to LeadConduit
  1  TIME  create               landed   HTTP 201
  2  TIME  move to in_progress  UNKNOWN  no answer in 15 s

Who did what
  TIME       started
  TIME  ann  asked to advance: in_progress (flow is known)
  TIME       outcome unknown: moving it to in_progress: no answer in 15 s

As of TIME (ZONE).`,
  );
});

test('an attention that mends itself does not ask for a decision', () => {
  const attention = { id: 'a1', code: 'credentials' as const, message: 'The key is refused.', since: at('02T23:00') };
  const text = 'somebody to mend the key, after which it goes on by itself: The key is refused.';
  expect(shown({ attention, waiting_for: { who: 'operator', text } })).toMatch(
    /^Waits for +an operator: somebody to mend the key, after which it goes on by itself$/m,
  );
});

test('what happens next, and when', () => {
  const next = (time: string) => ({ what: "look at LeadConduit's list", at: `2026-08-03T02:${time}Z` });
  const phase = 'unknown';
  expect(shown({ phase, next: next('01:30') })).toMatch(/^Next +look at LeadConduit's list in 1 minute \(TIME\)$/m);
  expect(shown({ phase, next: next('00:00') })).toMatch(/^Next +look at LeadConduit's list now$/m);
});

test('completed, but the look that confirms it is still to come: the seller is not forgotten', () => {
  const confirming = shown({ status: 'completed', phase: 'confirming', attention: undefined, actions: [] });
  expect(confirming).toMatch(/^Still to do +The seller still has to switch the buyer step on/m);
});

test('a duplicate asks for the one to keep; a flow cannot be set any more once it was sent', () => {
  const attention = { id: 'a1', code: 'duplicate' as const, message: 'two', since: at('02T23:00') };
  expect(shown({ attention, actions: ['resolve adopt'] })).toMatch(/--attention a1 --onboard-id <id> {2}keep the one/);
  expect(shown({ actions: [] })).not.toMatch(/^Flow/m);
});

test('without a worker it says so, and shows no history that it does not have', () => {
  const waiting_for = { who: 'operator' as const, text: 'a worker: none is running.' };
  const stale = shown({
    stale: true,
    waiting_for,
    ledger: [],
    timeline: [],
    actions: [],
    record: null,
    label: undefined,
  });
  expect(stale).toMatch(/^It waits for a worker: none is running\./);
  expect(stale).not.toMatch(/Sent to|Who did|What may|Onboard |Waits for {2}/);
});

test('the newest fifteen lines of a long story, and how many are older', () => {
  const timeline = Array.from({ length: 40 }, (_, i): TimelineLine => ({
    at: at('01T10:00'),
    event: 'note',
    detail: `#${i}#`,
  }));
  const lines = shown({ timeline });
  expect(lines).toContain('  25 older: --json shows them\n');
  expect(lines.match(/#\d+#/g)).toEqual(timeline.slice(25).map(({ detail }) => detail));
});

test('on a terminal long texts are wrapped, commands are whole, and there is colour; piped, nothing is cut', () => {
  const message = 'LeadConduit refused: '.repeat(12).trim();
  const attention = { ...state().attention!, message };
  const narrow = shown({ attention, label: 'x'.repeat(100) }, { width: 80, colours: true, now: NOW });
  expect(narrow).toContain('\x1b[31mAttention a2: unknown_outcome\x1b[39m');
  const lines = stripVTControlCharacters(narrow).split('\n');
  expect(lines.filter((line) => line.length > 80 && !line.includes('npm run'))).toEqual([]);
  expect(lines).toContain(`  npm run -s onboards -- resolve ${ID} --action retry --attention a2`);
  expect(shown({ attention })).toContain(message);
});

test('what others wrote cannot steer the terminal', () => {
  const words = shown({
    label: 'a\x1b]0;owned\x07b',
    timeline: [{ at: at('01T10:00'), event: 'note', detail: 'x\r\ny' }],
  });
  expect(words).toMatch(/^Label +a \]0;owned b$/m);
  expect(words).toContain('note: x y');
});

test('watch tells what is new, and where it stands when that has changed', () => {
  const tell = narrator();
  const first = state({ phase: 'waiting', waiting_for: { who: 'operator', text: 'somebody' } });
  const told = (next: OnboardView) => tell(next, screen).replace(/\S+ \d\d:\d\d:\d\d/g, 'TIME');
  expect(told(first)).toBe('TIME  created, waiting. Waits for an operator: somebody');
  expect(told({ ...first, as_of: at('03T02:01') })).toBe('');
  expect(told({ ...first, stale: true, timeline: [], phase: 'held' })).toMatch(/^TIME {2}created, held\./);
  const held: TimelineLine = { at: at('03T02:02'), event: 'held', by: 'bob' };
  expect(told({ ...first, timeline: [...first.timeline, held] })).toMatch(
    /^TIME {2}bob {2}held\nTIME {2}created, waiting/,
  );
});
