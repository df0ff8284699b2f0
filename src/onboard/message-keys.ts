/** A key makes a message safe to repeat: the same message changes nothing, and another one with that key is refused. */
import type { Message } from './parse-message';

/** What the message asks for, in short. */
export const nameOf = (message: Message) =>
  message.name === 'advance'
    ? `advance ${message.to}`
    : message.name === 'resolve'
      ? `resolve ${message.action}`
      : message.name;

/** All that a message says, in short. It tells a repeated message from a key that is used for something else. */
export const gist = (message: Message) => {
  const said = Object.entries<unknown>(message).filter(([field, value]) => field !== 'key' && value !== undefined);
  return `${nameOf(message)} ${digest(JSON.stringify(said.sort(([a], [b]) => (a < b ? -1 : 1))))}`;
};

/** 53 bits of a text (cyrb53): enough to tell the messages of one onboard apart. Workflow code has no crypto. */
function digest(text: string): string {
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    high = Math.imul(high ^ code, 2_654_435_761);
    low = Math.imul(low ^ code, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return (4_294_967_296 * (2_097_151 & low) + (high >>> 0)).toString(36);
}

/** @param gistOfUsed of the message that used the key before */
export function whyUsed(gistOfUsed: string, message: Message): string {
  const used = gistOfUsed.slice(0, gistOfUsed.lastIndexOf(' '));
  return `its key was used before, for ${used}${used === nameOf(message) ? ' with other content' : ''}`;
}
