const HOUR_MS = 3_600_000;

const WORDS: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection broken off by the other side',
  ECONNABORTED: 'connection given up by this machine',
  EPIPE: 'connection closed by the other side',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'host cannot be reached',
  ENETUNREACH: 'network cannot be reached',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'host name cannot be looked up at the moment',
  EMFILE: 'too many open files on this machine',
  EADDRNOTAVAIL: 'no free local port on this machine',
  CERT_HAS_EXPIRED: 'certificate has expired',
  CERT_NOT_YET_VALID: 'certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate not trusted: it is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate not trusted: its chain is self-signed',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate not trusted: its issuer is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate not trusted: its chain is incomplete',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate is for another host name',
};

/** Says in plain words what a system, TLS or HTTP parser code means; the code itself stays in brackets. */
export function describeCode(code: unknown): string {
  if (typeof code !== 'string' || !/^\w+$/.test(code)) return 'the call failed';
  if (WORDS[code] !== undefined) return `${WORDS[code]} (${code})`;
  if (code.startsWith('HPE_')) return `an answer that is not HTTP (${code})`;
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') return `no TLS connection (${code})`;
  return `the call failed (${code})`;
}

/** @param words LeadConduit's own. Without them, the answer may come from a proxy in between. */
export function describeStatus(status: number, words: string | undefined): string {
  return words === undefined ? `HTTP ${status} without LeadConduit's own error body` : `HTTP ${status}`;
}

/** Milliseconds, at most an hour, in a `Retry-After` of seconds or an HTTP date (RFC 9110, 10.2.3); undefined for anything else. */
export function parseRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header)
    ? Number(header) * 1_000
    : header.endsWith('GMT')
      ? Date.parse(header) - Date.now()
      : NaN;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), HOUR_MS);
}
