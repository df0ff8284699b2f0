/** A client of our API as an engineer would write it: a call without an answer is repeated with the same key. */
import { OnboardsError } from '../../src/client';
import type { OnboardView } from '../../src/onboard/view';

const WAIT_S = 5;
const TIMEOUT_MS = 20_000;
/** With these, the API is away, or says itself that the call may be repeated. */
const AGAIN = [500, 502, 503, 504];

export class ApiClient {
  constructor(
    private readonly url: string,
    private readonly key: string,
  ) {}

  /** Whatever came of it upstream, the onboard is followed from then on. @throws if there was no answer to rely on */
  async start(wanted: { invitation_id: string; flow_id?: string }): Promise<void> {
    const { status, headers, body } = await this.ask('POST', '/onboards', wanted);
    const isTaken = status === 201 || status === 202 || headers.has('location');
    if (!isTaken) throw new Error(`POST /onboards: HTTP ${status} ${JSON.stringify(body)}`);
  }

  /** @throws {OnboardsError} as the OnboardsClient does; anything else if there was no answer to rely on */
  async send(
    id: string,
    { name, ...body }: { name: string; key: string; [field: string]: unknown },
  ): Promise<OnboardView> {
    const answer = await this.ask('POST', `/onboards/${id}/${name}`, body);
    if (answer.status === 200) return answer.body as OnboardView;
    const { error } = answer.body as { error: string };
    if (answer.status === 409) throw new OnboardsError('refused', error);
    throw new Error(`${name}: HTTP ${answer.status} ${error}`);
  }

  private async ask(method: string, path: string, body: object) {
    const response = await fetch(this.url + path, {
      method,
      body: JSON.stringify(body),
      headers: {
        authorization: `Basic ${btoa(`API:${this.key}`)}`,
        'content-type': 'application/json',
        prefer: `wait=${WAIT_S}`,
      },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const { status, headers } = response;
    if (AGAIN.includes(status) && !headers.has('location')) throw new Error(`HTTP ${status}`);
    return { status, headers, body: await response.json() };
  }
}
