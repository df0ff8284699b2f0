/** `repeat`: its key was used already, it succeeds and changes nothing. `nothing`: what it asks for is so already. */
export type Verdict = { kind: 'accept' | 'nothing' | 'repeat' } | { kind: 'refuse'; why: string };

export const ACCEPT: Verdict = { kind: 'accept' };
export const refuse = (why: string): Verdict => ({ kind: 'refuse', why });
