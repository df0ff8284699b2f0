export type CallName = 'look' | 'create' | 'put';

export interface ErrorFacts {
  /** False only if it is proven that no byte of the request left. */
  readonly sent: boolean;
  /** The HTTP status, once headers arrived. */
  readonly status?: number;
  /** LeadConduit's own `{"error": "<words>"}`, without our key, at most 2,000 characters; no other body counts. */
  readonly words?: string;
  /** What `Retry-After` asks for: milliseconds from `endedAt`, at most one hour. */
  readonly retryAfterMs?: number;
  /** There was no slot, or no look, by the time given for it. */
  readonly noSlot?: boolean;
}

/**
 * Why a call to LeadConduit brought nothing usable: facts for programs, `reason` for people.
 * It is built from these facts alone and has no `cause`: an AxiosError would bring the credential along.
 */
export class LeadConduitError extends Error implements ErrorFacts {
  override readonly name = 'LeadConduitError';
  readonly sent: boolean;
  readonly status: number | undefined;
  readonly words: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly noSlot: boolean;
  /** Epoch ms. */
  readonly endedAt = Date.now();

  constructor(
    readonly operation: CallName,
    readonly reason: string,
    facts: ErrorFacts,
  ) {
    super(`${operation}: ${reason}`);
    this.sent = facts.sent;
    this.status = facts.status;
    this.words = facts.words;
    this.retryAfterMs = facts.retryAfterMs;
    this.noSlot = facts.noSlot ?? false;
  }
}

/**
 * Makes a function that replaces the key with `***`: plain, in Base64 (alone or as in `API:<key>`), and each of these
 * with any of its characters percent-encoded. For text from the upstream, which may quote what it was sent.
 * @param where `alone`: not within a longer word
 */
export function hideKey(key: string, where?: 'alone'): (text: string) => string {
  const encoded = [key, `API:${key}`].flatMap((secret) => [
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    Buffer.from(secret).toString('base64url'),
  ]);
  const anyForm = [...encoded, key].map((secret) => secret.replace(/./gs, plainOrPercentEncoded)).join('|');
  const pattern = new RegExp(where === 'alone' ? `(?<!\\w)(?:${anyForm})(?!\\w)` : anyForm, 'gi');
  return (text) => text.replace(pattern, '***');
}

function plainOrPercentEncoded(character: string): string {
  const hex = character.charCodeAt(0).toString(16).padStart(2, '0');
  return `(?:\\x${hex}|%${hex})`;
}
