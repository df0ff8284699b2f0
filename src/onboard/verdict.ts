/**
 * `repeat`: the same message was accepted before under this key; it succeeds again and changes nothing. `nothing`: the
 * onboard has already reached what the message asks for, or was already asked for it.
 */
export type Verdict = { kind: 'accept' | 'nothing' | 'repeat' } | { kind: 'refuse'; why: string };

export const ACCEPT: Verdict = { kind: 'accept' };
export const refuse = (why: string): Verdict => ({ kind: 'refuse', why });
