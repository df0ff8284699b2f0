import { sameId } from '../onboard/ids';
import { LeadConduitError } from './leadconduit-error';
import { SharedLooks, readLook, type Look } from './shared-looks';
import type { Gate } from './gated-socket';
import { CallSlots } from './call-slots';
import { readRecord, type OnboardRecord } from './schema';
import { Wire, type Call, type WireOptions } from './wire';

export type { Look } from './shared-looks';
export type { Gate, WireStage } from './gated-socket';
export type { WireEvent } from './wire';

export interface LeadConduitOptions extends WireOptions {
  /** How many calls may be under way at once. */
  readonly maxConcurrency: number;
  /** The most bytes that the answer to a look may have. */
  readonly maxListBytes: number;
  /** Called with each look that could be read. */
  readonly onLook?: ((look: Look) => void) | undefined;
}

/** What a write needs to be allowed to send. */
export interface SendPermit {
  /** Epoch ms after which waiting for a slot gives up: the look that the write relies on is stale then. */
  readonly slotUntil: number;
  readonly gate: Gate;
}

const MAX_RECORD_BYTES = 256 * 1024;
const UNREADABLE = 'an answer that cannot be read';

/**
 * LeadConduit's three calls for onboards, each tried once. All of them reject with a LeadConduitError,
 * whose `sent` tells what a durable caller has to know: whether the call may have had an effect.
 */
export class LeadConduitClient {
  readonly #wire: Wire;
  readonly #slots: CallSlots;
  readonly #looks: SharedLooks;
  /** How long one call may take, in ms. */
  readonly timeoutMs: number;

  constructor({ maxConcurrency, maxListBytes, onLook, ...wire }: LeadConduitOptions) {
    this.timeoutMs = wire.timeoutMs;
    this.#wire = new Wire(wire);
    this.#slots = new CallSlots(maxConcurrency);
    this.#looks = new SharedLooks(this.#slots, async () => {
      const look = await this.#wire.exchange({
        operation: 'look',
        method: 'GET',
        path: '/onboards',
        maxAnswerBytes: maxListBytes,
        statuses: [200],
        gate: () => undefined,
        read: (json, sentAt, headers) => readLook(json, headers, sentAt, Date.now()),
      });
      onLook?.(look);
      return look;
    });
  }

  /**
   * A look that is sent after this call, shared by all who wait for one.
   * @param until epoch ms when to give up waiting: rejects with `sent: false`.
   */
  look(until: number): Promise<Look> {
    return this.#looks.next(until);
  }

  /** Two of these for one invitation make two onboards: look first. */
  createOnboard(body: { invitation_id: string; flow_id?: string }, permit: SendPermit): Promise<OnboardRecord> {
    const call = { operation: 'create', method: 'POST', path: '/onboards', body } as const;
    return this.#write(call, body.invitation_id, permit, () => undefined);
  }

  /** Replaces the whole record: pass the one just read, changed. Completing cannot be undone. */
  putOnboard(id: string, record: OnboardRecord, permit: SendPermit): Promise<OnboardRecord> {
    const call = {
      operation: 'put',
      method: 'PUT',
      path: `/onboards/${encodeURIComponent(id)}`,
      body: record,
    } as const;
    return this.#write(call, record.invitation_id, permit, (answer) =>
      sameId(answer.id, id) ? undefined : 'answered about another onboard',
    );
  }

  /** Ends kept-alive connections. */
  close(): void {
    this.#wire.close();
  }

  async #write(
    call: Pick<Call<OnboardRecord>, 'operation' | 'method' | 'path' | 'body'>,
    invitationId: string,
    permit: SendPermit,
    judge: (answer: OnboardRecord) => string | undefined,
  ): Promise<OnboardRecord> {
    const release = await this.#slots.forWrite(permit.slotUntil);
    if (!release) throw new LeadConduitError(call.operation, 'no slot in time', { sent: false, noSlot: true });
    const read = (json: unknown): OnboardRecord | string => {
      const answer = readRecord(json);
      if (!answer) return UNREADABLE;
      return (
        judge(answer) ?? (sameId(answer.invitation_id, invitationId) ? answer : 'answered about another invitation')
      );
    };
    try {
      return await this.#wire.exchange({
        ...call,
        invitationId,
        maxAnswerBytes: MAX_RECORD_BYTES,
        statuses: [200, 201, 202],
        gate: permit.gate,
        read,
      });
    } finally {
      release();
    }
  }
}
