import { z } from 'zod';
import { Problem } from '../problems';

const Effects = z.object({
  posts: z.number(),
  creates: z.number(),
  puts: z.number(),
  completes: z.number(),
  emails: z.number(),
});
const Ledger = z.object({ invitations: z.record(z.string(), Effects) });
const Options = z.object({ hide_created: z.boolean() });
const TIMEOUT_MS = 2_000;

/** What the emulator counted for an invitation, and whether its list hides new onboards. */
export interface Upstream {
  effects: z.output<typeof Effects>;
  isHiding: boolean;
}

/** Controls the emulator, for people who want to see what a fault does. */
export class EmulatorControl {
  constructor(private readonly url: string) {}

  /** Undefined when the emulator does not answer. */
  async upstream(invitation = ''): Promise<Upstream | undefined> {
    try {
      const [ledger, options] = await Promise.all([this.ask('GET', 'ledger'), this.ask('GET', 'options')]);
      const none = { posts: 0, creates: 0, puts: 0, completes: 0, emails: 0 };
      const effects = Ledger.parse(ledger).invitations[invitation.toLowerCase()] ?? none;
      return { effects, isHiding: Options.parse(options).hide_created };
    } catch {
      return undefined;
    }
  }

  /** The next such call takes effect, but its answer never arrives. */
  async loseAnswer(on: 'POST' | 'PUT', invitation_id?: string): Promise<void> {
    const planned = z.array(z.unknown()).parse(await this.ask('GET', 'faults'));
    await this.ask('PUT', 'faults', [...planned, { on, when: 'after', do: 'reset', invitation_id }]);
  }
  goDown = (ms: number) => this.ask('PUT', 'options', { down_ms: ms });
  hide = (hide_created: boolean) => this.ask('PUT', 'options', { hide_created });

  private async ask(method: string, what: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.url}/_emulator/${what}`, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch(() => {
      throw new Problem(503, 'The emulator does not answer: it is down', { 'Retry-After': '5' });
    });
    if (!response.ok) throw new Problem(502, `The emulator answered HTTP ${response.status}`);
    return response.json();
  }
}
