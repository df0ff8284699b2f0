import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';

/**
 * `connecting`: no connection yet. `open`: the connection (and TLS) is established and the gate said yes.
 * `sent`: the request's last byte was handed to the system. `answered`: headers arrived.
 */
export type WireStage = 'connecting' | 'open' | 'sent' | 'answered';

/** Asked when the connection is open, just before the first byte leaves. Returns the reason if nothing may be sent. */
export type Gate = () => string | undefined | Promise<string | undefined>;

/** One call's exchange over the wire, and how far it got. */
export class Exchange {
  /** Epoch ms of when http got the socket, just before the first byte; undefined proves that no byte left. */
  sentAt: number | undefined;
  answer: http.IncomingMessage | undefined;
  /** Why the gate said no. */
  objection: string | undefined;

  constructor(
    readonly signal: AbortSignal,
    private readonly gate: Gate,
    private readonly onStage: (stage: WireStage) => void,
  ) {}

  report(stage: WireStage): void {
    try {
      this.onStage(stage);
    } catch {
      // An error of the observer must not change the call.
    }
  }

  /** @throws when the call may not send any more. */
  async askGate(): Promise<void> {
    this.signal.throwIfAborted();
    try {
      this.objection = await this.gate();
    } catch {
      this.objection = 'the last check before sending failed';
    }
    if (this.objection !== undefined) throw new Error(this.objection);
    this.signal.throwIfAborted();
  }
}

/** Node's default: an idle kept-alive socket is closed after this, or sooner where the server says so. */
const IDLE_MS = 5_000;

type Route = https.RequestOptions & { exchange: Exchange };
type OnCreate = (error: Error | null, socket: Duplex) => void;

/**
 * By default, http writes into a socket that is still connecting, and a failure does not tell whether bytes left.
 * Here http gets the socket only when it is open and the gate has said yes: whatever fails before that was not sent.
 */
async function passToHttp(socket: Duplex, opened: string, { exchange }: Route, onCreate: OnCreate): Promise<void> {
  socket.on('error', () => undefined); // http itself listens only from the next tick on
  try {
    exchange.report('connecting');
    await once(socket, opened, { signal: exchange.signal });
    await exchange.askGate();
    if (socket.destroyed) throw new Error('the connection was lost before anything was sent');
  } catch (error) {
    socket.destroy();
    onCreate(error as Error, socket);
    return;
  }
  exchange.report('open');
  onCreate(null, socket);
}

class PlainAgent extends http.Agent {
  override createConnection(route: Route, onCreate: OnCreate): undefined {
    void passToHttp(super.createConnection(route)!, 'connect', route, onCreate);
  }
}

class SecureAgent extends https.Agent {
  override createConnection(route: Route, onCreate: OnCreate): undefined {
    void passToHttp(super.createConnection(route)!, 'secureConnect', route, onCreate);
  }
}

/** @param ca PEM of what to trust instead of the well-known authorities. */
export function createAgent(secure: boolean, keepAlive: boolean, ca?: string): http.Agent {
  const pool = keepAlive ? { keepAlive, timeout: IDLE_MS } : { keepAlive };
  return secure ? new SecureAgent({ ...pool, ca, rejectUnauthorized: true }) : new PlainAgent(pool);
}

/** axios's `transport`: Node's own request through our agent, which records how far it got. It follows no redirects. */
export const createTransport = (agent: http.Agent, exchange: Exchange) => ({
  request(options: https.RequestOptions, onAnswer: (answer: http.IncomingMessage) => void): http.ClientRequest {
    const { request } = agent instanceof https.Agent ? https : http;
    const route: Route = { ...options, agent, exchange };
    return request(route, onAnswer)
      .once('socket', () => (exchange.sentAt = Date.now()))
      .once('finish', () => exchange.report('sent'))
      .once('response', (answer) => {
        exchange.answer = answer;
        exchange.report('answered');
      });
  },
});
