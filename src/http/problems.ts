import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { OnboardsError } from '../client/onboards-error';
import { ConfigError } from '../config-error';
import { reportOf } from '../report';
import { withoutSecrets } from '../secrets';
import { TemporalUnavailable } from '../temporal/connection';
import { visible } from '../visible';

/** How many characters of a message are kept: enough to see what is wrong. */
const MOST_WORDS = 2_000;

/** What a caller is told about a failed request. The message loses secrets and control characters, wherever it came from. */
export class Problem extends Error {
  override readonly name = 'Problem';
  constructor(
    readonly status: ContentfulStatusCode,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(visible(withoutSecrets(message)).slice(0, MOST_WORDS));
  }
}

const LATER = { 'Retry-After': '5' };

/** The only table from errors to statuses. An error that is not in it is a bug of ours: it is logged and not shown. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof OnboardsError)
    switch (error.code) {
      case 'not_found':
        return new Problem(404, error.message);
      case 'refused':
        return new Problem(409, error.message);
      case 'no_worker':
      case 'temporal':
        return new Problem(503, error.message, LATER);
    }
  // The server turned out to be another upstream's, or does not say whose it is.
  if (error instanceof ConfigError) return new Problem(503, error.message);
  if (error instanceof TemporalUnavailable) return new Problem(503, error.message, LATER);
  if (error instanceof HTTPException) {
    const headers = Object.fromEntries(error.res?.headers ?? []);
    return new Problem(error.status, WORDS[error.status] ?? error.message, headers);
  }
  console.error(reportOf(error));
  return new Problem(500, 'This server could not answer because of a bug: its log has the details');
}

export const ELSEWHERE = 'This request was sent by a page of another site, so nothing was done';

/** Messages for what hono's own middleware throws. */
const WORDS: Record<number, string> = {
  401: 'The key is missing or unknown: send it by HTTP Basic, as the password of any user',
  403: ELSEWHERE,
  415: 'The content type must be application/json',
  504: 'It took too long; ask for the state, or repeat the request: nothing is done twice',
};

/** Every error is `{ "error": "<words>" }`. */
export function answerWith(c: Context, { status, message, headers }: Problem): Response {
  const { 'WWW-Authenticate': upper, 'www-authenticate': realm = upper, ...others } = headers;
  const kept = Object.fromEntries(Object.entries(others).filter(([name]) => !/^content-/i.test(name)));
  return c.json({ error: message }, status, { ...kept, ...(realm && { 'WWW-Authenticate': realm }) });
}
