/** A message is read from whatever comes: it is never an error, and no text is longer than it may be. */
import fc from 'fast-check';
import { applyMessage } from '../../src/onboard/apply-message';
import { parseMessage } from '../../src/onboard/parse-message';
import { begin } from '../../src/onboard/state';
import { INVITATION } from '../support/simulated-leadconduit';
import { START } from '../support/trial';

describe('reading a message', () => {
  test('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.anything()), (name, args) => {
        const message = parseMessage(name, args);
        const onboard = begin({ invitation_id: INVITATION }, START);
        applyMessage(onboard, message, START);
        expect(onboard.timeline.length).toBe(2);
      }),
    );
  });

  test('cuts every text', () => {
    const message = parseMessage('note', [{ text: 'x'.repeat(9_000), by: 'y'.repeat(900) }]);
    expect(message).toMatchObject({
      text: expect.stringMatching(/^x{1999}…$/) as string,
      by: expect.stringMatching(/^y{199}…$/) as string,
    });
  });
});
