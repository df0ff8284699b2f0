import type { IncomingMessage } from 'node:http';

/** What a request tells of whoever sent it. Browsers add the last three by themselves; other programs send none of them. */
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

/** As it stands in an address: `localhost`, `127.0.0.1`, `[::1]`. */
export const isLoopback = (hostname: string): boolean => LOOPBACK.test(hostname);

/** The name in a `Host` header, without its port, as an address has it. Undefined when it is none. */
export function hostnameIn(host: string): string | undefined {
  const address = `http://${host}/`;
  const url = /[/?#@\\\s]/.test(host) || !URL.canParse(address) ? undefined : new URL(address);
  return url?.hostname;
}

/**
 * Whether a page of another site makes the browser send this. Following a link to here is no such thing: whoever made it
 * cannot read what is answered, and a `GET` changes nothing.
 * @param publicOrigin where people reach us when a proxy in front does not pass their `Host` on
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
