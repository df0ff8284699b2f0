/**
 * A client of LeadConduit's onboards that was written from its public reference alone: one base address, HTTP Basic with
 * the user `API`, JSON both ways, three calls. It knows nothing of this project, and must not need to.
 */
export interface Onboard {
  invitation_id: string;
  id: string;
  account_id: string;
  connection_id: string;
  flow_id?: string | null;
  status: string;
  created_at: string;
  updated_at: string;
}

/** What came over the wire. If `status` is a success, `body` is what the reference says. */
export interface Reply<T> {
  status: number;
  type: string | null;
  headers: Headers;
  body: T;
}

export class ReferenceClient {
  constructor(
    private readonly baseUrl: string,
    private readonly apiKey: string,
  ) {}

  createOnboard(request: { invitation_id: string; flow_id?: string }): Promise<Reply<Onboard>> {
    return this.call('POST', '/onboards', request);
  }

  listOnboards(): Promise<Reply<Onboard[]>> {
    return this.call('GET', '/onboards');
  }

  /** Replaces the record: send back what was read, with what is to change. */
  updateOnboard(onboard: Onboard): Promise<Reply<Onboard>> {
    return this.call('PUT', `/onboards/${onboard.id}`, onboard);
  }

  private async call<T>(method: string, path: string, body?: unknown): Promise<Reply<T>> {
    const response = await fetch(this.baseUrl + path, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(`API:${this.apiKey}`).toString('base64')}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { status, headers } = response;
    return { status, headers, type: headers.get('content-type'), body: (await response.json()) as T };
  }
}
