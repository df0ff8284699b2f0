import type { IncomingHttpHeaders } from 'node:http';

/** A header's name in lower case, and why its value, if so, says that the list is incomplete or old. */
type Rule = [name: RegExp, why: (value: string, length: number, now: number) => string | false];

const DAY_MS = 86_400_000;

const isNo = (value: string) => /^(|0|false|no|none|null|undefined)$/i.test(value.trim());
const above = (value: string, most: number) => /^\d+$/.test(value.trim()) && Number(value) > most;
const named = (pattern: string) => new RegExp(pattern.replaceAll('ITEMS', ITEMS).replaceAll('PAGING', PAGING));
const ITEMS = '(?:result|record|item|element|entry|entrie|object|row|onboard)s?';
const PAGING = '^(?:x-)?(?:(?:pagination|paging)-)?';

/** `items 0-24/25` is all of 25. */
function isWholeRange(value: string): boolean {
  const [range, last = -1, total] = /^\s*[\w-]+\s+(?:0-(\d+)|\*)\/(\d+)\s*$/.exec(value) ?? [];
  return range !== undefined && Number(total) === Number(last) + 1;
}

/** Whether a cache answered from its copy. A copy that it has just revalidated is fresh: `fwd=stale`, `TCP_REFRESH_HIT`. */
const isHit = (value: string) =>
  /(?<![a-z]|refresh_)(hit|stale|updating)\b/i.test(value.replace(/;\s*[\w-]+=[^;,]*/g, ''));

/**
 * LeadConduit documents neither pages nor caches for `GET /onboards`. If something in between, or a later version, says
 * in one of the usual ways that there is more or that this is old, the list is not used.
 * RFC 8288 (`Link`), 9110 (`Content-Range`, `Date`), 9111 (`Age`, `Warning`), 9211 (`Cache-Status`); the rest is custom.
 */
const RULES: readonly Rule[] = [
  [/^link$/, (value) => /\brel\s*=\s*"?[^";,]*\b(next|prev|previous)\b/i.test(value) && 'names another page'],
  [/^content-range$/, (value) => !isWholeRange(value) && 'says that this is a part'],
  [
    named('(^|-)(total-?pages?|pages?-?(count|total)|last-?page)$|PAGINGpages$'),
    (value) => above(value, 1) && `says that there are ${value} pages`,
  ],
  [
    // Headers that count requests, tries or queries say nothing about the list.
    named(
      '(^|-)(total-?(count|size|ITEMS)|ITEMS-?(count|total))$(?<!(rate|request|retry|attempt|query).*)|PAGING(count|total)$',
    ),
    (value, length) => above(value, length) && `says that there are ${value} in all`,
  ],
  [
    /(^|-)(per-?page|page-?size)$/,
    (value, length) => above(value, 0) && Number(value) <= length && 'says that pages end here',
  ],
  // If the list is longer, the limit is for something else.
  [
    named('PAGING((page|ITEMS)-?)?limit$'),
    (value, length) => above(value, 0) && Number(value) === length && 'says that pages end here',
  ],
  [named('PAGING(current-?)?page(-?number)?$'), (value) => above(value, 1) && `says that this is page ${value}`],
  [named('PAGING(page-)?(offset|skip)$'), (value) => above(value, 0) && `says that this starts after ${value}`],
  [
    /(^|-)has-?(more|next|prev|previous)(-?(pages?|results|items|records))?$/,
    (value) => !isNo(value) && 'says that there is more',
  ],
  [
    /(^|-)((next|prev|previous)(-?page)?(-?(cursor|token|offset|link|url|marker|key))?|(continuation|page)(-?token)|continuation|cursor)$/,
    (value) => !isNo(value) && 'names another page',
  ],
  [/(^|-)(degraded|partial|incomplete|truncated|stale)$/, (value) => !isNo(value) && 'says so'],
  [/^age$/, (value) => !isNo(value) && `says that this is ${value} s old`],
  // Wrong clocks and time zones differ by less than a day.
  [/^date$/, (value, _, now) => Date.parse(value) < now - DAY_MS && `says that this is of ${value}`],
  [/^warning$/, (value) => /^\s*11[0-3]\b|stale|truncated|partial|incomplete/i.test(value) && 'says that it is'],
  [/(^|-)cache-hits?$/, (value) => value.split(',').some((hits) => !isNo(hits)) && 'says that this is from a cache'],
  [/^x-varnish$/, (value) => /\d\s+\d/.test(value) && 'says that this is from a cache'],
  [/(^|-)cache(-(status|lookup|remote|result))?$/, (value) => isHit(value) && 'says that this is from a cache'],
];

/** Why the headers say that this is not the whole list as it is now; undefined if none says so. */
export function shortfallOf(headers: IncomingHttpHeaders, length: number, now: number): string | undefined {
  for (const [header, values] of Object.entries(headers)) {
    const value = [values].flat().join(', ');
    for (const [name, text] of [[header, value] as const, ...fieldsOf(header, value)])
      for (const [rule, why] of RULES) {
        const said = rule.test(name) && why(text, length, now);
        if (said) return `the list may be incomplete or out of date: its header ${header} ${said}`;
      }
  }
  return undefined;
}

/** Some servers say it all in one header, as JSON: `{"TotalCount":200,"PageSize":50}`. */
function fieldsOf(header: string, value: string): (readonly [name: string, text: string])[] {
  if (!header.includes('pag')) return [];
  try {
    return Object.entries(JSON.parse(value) as Record<string, unknown>).map(([name, field]) => [
      name
        .replace(/(?<=[a-z])(?=[A-Z])/g, '-')
        .replaceAll('_', '-')
        .toLowerCase(),
      String(field as string | number | boolean | null),
    ]);
  } catch {
    return [];
  }
}
