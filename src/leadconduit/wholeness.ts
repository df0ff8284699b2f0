import type { IncomingHttpHeaders } from 'node:http';

/** A header by its name in lower case, and why its value says that the list is not all, or not as it is now. */
type Rule = [name: RegExp, why: (value: string, length: number) => string | false];

const isNo = (value: string) => /^(|0|false|no|none|null|undefined)$/i.test(value.trim());
const above = (value: string, most: number) => /^\d+$/.test(value.trim()) && Number(value) > most;

/**
 * LeadConduit documents neither pages nor caches for `GET /onboards`. Where something in between, or a later version,
 * says in any of the usual ways that there is more or that this is old, what the list does not show proves nothing.
 * RFC 8288 (`Link`), 9110 (`Content-Range`), 9111 (`Age`, `Warning`), 9211 (`Cache-Status`); the rest is custom.
 */
const RULES: readonly Rule[] = [
  [/^link$/, (value) => /\brel\s*=\s*"?[^";,]*\b(next|prev|previous)\b/i.test(value) && 'names another page'],
  [/^content-range$/, () => 'says that this is a part'],
  [/(^|-)total-?pages$|(^|-)page-?count$/, (value) => above(value, 1) && `says that there are ${value} pages`],
  [
    /^(?!.*(rate|request)).*(^|-)(total|(total-|result-|record-|item-)?count|total-(records|results|items|elements|entries|onboards|size))$/,
    (value, length) => above(value, length) && `says that there are ${value} in all`,
  ],
  [
    /(^|-)(per-?page|page-?size)$/,
    (value, length) => above(String(length), Number(value) - 1) && 'says that pages end here',
  ],
  [/^x-(current-)?page$/, (value) => above(value, 1) && `says that this is page ${value}`],
  [/(^|-)has-?(more|next)(-?page)?$/, (value) => !isNo(value) && 'says that there is more'],
  [/(^|-)next(-?(page|cursor|token|offset|link|url))?$/, (value) => !isNo(value) && 'names another page'],
  [/(^|-)(degraded|partial|incomplete|truncated|stale)$/, (value) => !isNo(value) && 'says so'],
  [/^age$/, (value) => !isNo(value) && `says that this is ${value} s old`],
  [/^warning$/, (value) => /^\s*11[0-3]\b/.test(value) && 'says that this may be old'],
  [/^x-cache-hits$/, (value) => above(value, 0) && 'says that this is from a cache'],
  [
    /^(x-|cf-)?cache(-status)?$|^x-cache-/,
    (value) => /\b(hit|stale)\b/i.test(value) && 'says that this is from a cache',
  ],
];

/** Why the answer says of itself that it is not the whole list as it is now; undefined where nothing says so. */
export function shortfallOf(headers: IncomingHttpHeaders, length: number): string | undefined {
  for (const [name, value] of Object.entries(headers))
    for (const [rule, why] of RULES) {
      const said = rule.test(name) && why([value].flat().join(', '), length);
      if (said) return `the list may be incomplete or out of date: its header ${name} ${said}`;
    }
  return undefined;
}
