import type { Look } from '../leadconduit/shared-looks';

const KEEP = 1_000;
/** We ask Temporal for at most this many ids at once. */
const ASKED = 100;

/** Which of these onboards people have reported as gone from LeadConduit, to any run. */
export type AskGone = (onboardIds: readonly string[]) => Promise<readonly string[]>;

interface Known {
  /** Epoch ms of when we learnt of it. */
  since: number;
  /** A list has shown it. */
  isListed: boolean;
  /** This deployment created it, so that a list which shows it shows what this account's key creates. */
  isOurs: boolean;
}

/**
 * Whether LeadConduit's list can be believed when it does not show something. The known onboards are kept in memory.
 *
 * 1. What was listed once stays listed: LeadConduit cannot delete an onboard. A list that lacks one is incomplete or old,
 *    and nothing is sent on its word, not even a first create.
 * 2. An account's key may not be able to list what it creates. Once a list has shown an onboard that was created here,
 *    the key can, and every other one must be listed after `lagMs`. Before that, absence proves nothing after an unknown
 *    outcome.
 */
export class ListTrust {
  readonly #known = new Map<string, Known>();
  /** Onboards that people know to be gone from LeadConduit. */
  readonly #gone = new Set<string>();
  #question: { look: Look; answer: Promise<readonly string[]> } | undefined;

  constructor(private readonly askGone: AskGone = () => Promise.resolve([])) {}

  /** Adds an onboard that we know. @param isListed a list has shown it, here or to an earlier worker */
  add(onboardId: string, { isListed = false, isOurs = true, since = Date.now() }: Partial<Known> = {}): void {
    const id = onboardId.toLowerCase();
    if (this.#gone.has(id)) return;
    const known = this.#known.get(id);
    this.#known.delete(id);
    this.#known.set(id, {
      since: known?.since ?? since,
      isListed: isListed || known?.isListed === true,
      isOurs: isOurs || known?.isOurs === true,
    });
    const [oldest] = this.#known.keys();
    if (this.#known.size > KEEP && oldest !== undefined) this.#known.delete(oldest);
  }

  /** People have seen that these onboards are gone from LeadConduit: no list has to show them. */
  forget(onboardIds: readonly string[]): void {
    for (const id of onboardIds) {
      this.#known.delete(id.toLowerCase());
      this.#gone.add(id.toLowerCase());
    }
  }

  /** Call it with each look. The known onboards that it shows must be in every later list. */
  seen(look: Look): void {
    for (const [id, known] of this.#known) known.isListed ||= look.has(id);
  }

  /**
   * Learns from a look, and tells which onboards it lacks although they must be listed.
   * @param lagMs how long LeadConduit may take to list what it has created
   */
  async lackedBy(look: Look, lagMs: number): Promise<string[]> {
    this.seen(look);
    const lacked = this.#lackedBy(look, lagMs);
    if (lacked.length === 0) return lacked;
    // All who share a look share the question. If it fails, the next look asks it again.
    if (this.#question?.look !== look)
      this.#question = { look, answer: this.askGone(lacked.slice(0, ASKED)).catch(() => []) };
    this.forget(await this.#question.answer);
    return this.#lackedBy(look, lagMs);
  }

  #lackedBy(look: Look, lagMs: number): string[] {
    const known = [...this.#known];
    const isKeyShown = known.some(([, { isOurs, isListed }]) => isOurs && isListed);
    const must = ({ isListed, since }: Known) => isListed || (isKeyShown && since + lagMs <= look.sentAt);
    return known.flatMap(([id, one]) => (must(one) && !look.has(id) ? id : []));
  }

  /** Whether this list proves that what it does not show is not there. @param lacked the onboards that it lacks */
  provesAbsence(look: Look, lacked: readonly string[]): boolean {
    return lacked.length === 0 && [...this.#known].some(([id, { isOurs }]) => isOurs && look.has(id));
  }
}
