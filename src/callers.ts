import type { IncomingMessage } from 'node:http';

/** What a request tells of its sender. Browsers add the last three by themselves; other programs send none of them. */
export interface Caller {
  method: string;
  host: string | undefined;
  origin: string | undefined;
  /** `Sec-Fetch-Site`. */
  site: string | undefined;
  /** `Sec-Fetch-Mode`. */
  mode: string | undefined;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Whether a host name, written as in a URL, is this machine's own: `localhost`, `127.0.0.1`, `[::1]`. */
export const isLoopback = (hostname: string): boolean => LOOPBACK.test(hostname);

/** The host name in a `Host` header, without the port, written as in a URL. Undefined if the header has none. */
export function hostnameIn(host: string): string | undefined {
  const address = `http://${host}/`;
  const url = /[/?#@\\\s]/.test(host) || !URL.canParse(address) ? undefined : new URL(address);
  return url?.hostname;
}

/**
 * Whether a page of another site makes the browser send this. A link to here that somebody follows is allowed: the page that
 * has it cannot read the answer, and a `GET` changes nothing.
 * @param publicOrigin where people reach us, for a proxy in front that does not pass their `Host` on
 */
export function isSentFromElsewhere({ method, host, origin, site, mode }: Caller, publicOrigin?: string): boolean {
  if (site === 'same-origin') return false;
  if (origin !== undefined)
    return origin !== publicOrigin && (!URL.canParse(origin) || new URL(origin).host !== host?.toLowerCase());
  return site !== undefined && site !== 'none' && !(method === 'GET' && mode === 'navigate');
}

export function callerOf({ method = '', headers }: Pick<IncomingMessage, 'method' | 'headers'>): Caller {
  const said = (name: string) => headers[name]?.toString();
  const [site, mode] = [said('sec-fetch-site'), said('sec-fetch-mode')];
  return { method, host: headers.host, origin: headers.origin, site, mode };
}
