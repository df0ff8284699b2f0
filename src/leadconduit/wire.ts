import type { Agent, IncomingHttpHeaders } from 'node:http';
import axios, { type AxiosInstance } from 'axios';
import { hideKey, LeadConduitError, type CallName } from './leadconduit-error';
import { createAgent, createTransport, Exchange, type Gate, type WireStage } from './gated-socket';
import { describeCode, describeStatus, parseRetryAfter } from './reasons';
import { ErrorBody } from './schema';

export interface WireEvent {
  readonly operation: CallName;
  readonly stage: WireStage;
  readonly invitationId?: string | undefined;
}

export interface WireOptions {
  readonly baseUrl: string;
  /** The password of HTTP Basic (LeadConduit ignores the user's name). It appears in no error. */
  readonly apiKey: string;
  /** How long one call may take in ms, from getting its slot to the answer's last byte; connecting and TLS included. */
  readonly timeoutMs: number;
  /** PEM of what to trust instead of the well-known authorities. */
  readonly ca?: string | undefined;
  /** Called at each stage of a call. Its errors are ignored. */
  readonly onStage?: ((event: WireEvent) => void) | undefined;
}

export interface Call<T extends object> {
  readonly operation: CallName;
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly body?: object;
  readonly invitationId?: string;
  readonly maxAnswerBytes: number;
  readonly statuses: readonly number[];
  readonly gate: Gate;
  /** Reads the JSON of an answer with one of the statuses, if it is JSON. A string says why it is unusable. */
  readonly read: (json: unknown, sentAt: number, headers: IncomingHttpHeaders) => T | string;
}

const MAX_REQUEST_BYTES = 1024 * 1024;
const MAX_WORDS = 2_000;

/** The only place that knows axios and the key. Nothing is sent twice, and nothing is sent elsewhere. */
export class Wire {
  readonly #options: WireOptions;
  readonly #http: AxiosInstance;
  readonly #hideKey: (text: string) => string;
  /** Only looks reuse connections: a write into a stale connection would be the commonest unknown outcome. */
  readonly #lookAgent: Agent;

  constructor(options: WireOptions) {
    this.#options = options;
    this.#hideKey = hideKey(options.apiKey);
    this.#lookAgent = this.#agent(true);
    this.#http = axios.create({
      baseURL: options.baseUrl,
      allowAbsoluteUrls: false,
      auth: { username: 'API', password: options.apiKey },
      // A look must be current: no cache in between may answer it.
      headers: { Accept: 'application/json', 'Cache-Control': 'no-cache', Pragma: 'no-cache' },
      maxRedirects: 0,
      proxy: false,
      maxBodyLength: MAX_REQUEST_BYTES,
      responseType: 'text', // parsed below: a body that is not JSON must not hide its status, nor pass for success
      validateStatus: null,
    });
  }

  /** @throws {LeadConduitError} and nothing else: an error of axios would show the key. */
  async exchange<T extends object>(call: Call<T>): Promise<T> {
    const { operation, method, path, body, invitationId, maxAnswerBytes } = call;
    const signal = AbortSignal.timeout(this.#options.timeoutMs);
    const report = (stage: WireStage) => this.#options.onStage?.({ operation, stage, invitationId });
    const exchange = new Exchange(signal, call.gate, report);
    const transport = createTransport(operation === 'look' ? this.#lookAgent : this.#agent(false), exchange);
    const config = { method, url: path, data: body, signal, transport, maxContentLength: maxAnswerBytes };
    const text = await this.#http.request<string>(config).then(
      (response) => response.data,
      (error: unknown) => {
        throw this.#error(call, exchange, this.#explain(call, exchange, error));
      },
    );
    return this.#judge(call, exchange, text);
  }

  /** Closes the kept-alive connections, even one with a look under way. */
  close(): void {
    this.#lookAgent.destroy();
  }

  #agent(keepAlive: boolean): Agent {
    return createAgent(new URL(this.#options.baseUrl).protocol === 'https:', keepAlive, this.#options.ca);
  }

  #judge<T extends object>(call: Call<T>, exchange: Exchange, text: string): T {
    const { statusCode: status = 0, headers } = exchange.answer!;
    const json = parseJson(text);
    const words = ErrorBody.safeParse(json).data?.error;
    const outcome = call.statuses.includes(status)
      ? call.read(json, exchange.sentAt!, headers)
      : describeStatus(status, words);
    if (typeof outcome !== 'string') return outcome;
    throw this.#error(call, exchange, outcome, words);
  }

  #explain(call: Call<object>, exchange: Exchange, error: unknown): string {
    const status = exchange.answer?.statusCode;
    const sent = exchange.sentAt !== undefined;
    const { code, message } = error as { code?: unknown; message: string };
    if (exchange.objection !== undefined) return exchange.objection;
    if (exchange.signal.aborted) {
      const missing = status ? `HTTP ${status}, but its body did not end` : `no ${sent ? 'answer' : 'connection'}`;
      return `${missing} within ${this.#options.timeoutMs / 1_000} s`;
    }
    if (message.startsWith('maxContentLength'))
      return `HTTP ${status!} with a body of more than ${call.maxAnswerBytes} bytes`;
    if (status) return `HTTP ${status}, but its body was cut short`;
    return `${describeCode(code)}${sent ? ', after the request was sent' : ''}`;
  }

  #error({ operation }: Call<object>, exchange: Exchange, reason: string, words?: string): LeadConduitError {
    return new LeadConduitError(operation, reason, {
      sent: exchange.sentAt !== undefined,
      status: exchange.answer?.statusCode,
      words: words === undefined ? undefined : this.#hideKey(words).slice(0, MAX_WORDS),
      retryAfterMs: parseRetryAfter(exchange.answer?.headers['retry-after']),
    });
  }
}

/** @returns undefined, which is no JSON value, if the text is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
