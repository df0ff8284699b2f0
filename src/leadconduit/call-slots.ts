/** Gives a slot back; to be called once. */
export type Release = () => void;

/** Milliseconds for `setTimeout` until an epoch time: never negative, and never above its limit, where it would fire at once. */
export const delayUntil = (until: number): number => Math.min(Math.max(until - Date.now(), 0), 2 ** 31 - 1);

/**
 * How many calls may be under way at once (ActiveProspect's guidance: at most 3 for an account).
 * Waiting writers go first, in their order: each relies on a look that grows old, and stops waiting when it is too old.
 * A look goes when no writer waits. Since writers stop waiting in time, looks cannot starve.
 */
export class CallSlots {
  #free: number;
  readonly #writers = new Set<() => void>();
  readonly #looks: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** @returns undefined if no slot was free by `until` (epoch ms), even if the timer fires late. */
  forWrite(until: number): Promise<Release | undefined> {
    return new Promise((resolve) => {
      const enter = () => {
        clearTimeout(deadline);
        this.#writers.delete(enter);
        resolve(Date.now() < until ? this.#take() : undefined);
      };
      const deadline = setTimeout(() => {
        this.#writers.delete(enter);
        resolve(undefined);
      }, delayUntil(until));
      this.#writers.add(enter);
      this.#fill();
    });
  }

  forLook(): Promise<Release> {
    return new Promise((resolve) => {
      this.#looks.push(() => resolve(this.#take()));
      this.#fill();
    });
  }

  #take(): Release {
    this.#free -= 1;
    return () => {
      this.#free += 1;
      this.#fill();
    };
  }

  #fill(): void {
    while (this.#free > 0) {
      const [writer] = this.#writers;
      const next = writer ?? this.#looks.shift();
      if (!next) return;
      next();
    }
  }
}
