/** Random numbers that a seed decides: the same seed gives the same numbers. */
export interface Dice {
  /** From 0 up to 1. */
  next: () => number;
  upTo: (most: number) => number;
  often: (share: number) => boolean;
  /** An id as LeadConduit gives them. */
  hex: () => string;
}

/** Numbers from 0 up to 1 (mulberry32). */
function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function diceOf(seed: number): Dice {
  const next = random(seed);
  const upTo = (most: number) => Math.floor(next() * most);
  const hex = () => Array.from({ length: 24 }, () => upTo(16).toString(16)).join('');
  return { next, upTo, often: (share) => next() < share, hex };
}
