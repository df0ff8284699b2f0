/** What LeadConduit was asked for and made to do in a crash run, and by whom: read from what the emulator keeps. No fault touches it. */
import { fstatSync, openSync, readSync } from 'node:fs';
import type { OnboardRecord } from '../../src/leadconduit/schema';

/** Users of the account, as they name themselves. */
export const OURS = 'API';
export const ANOTHER = 'another';

/** A write as it came in. */
export interface Arrival {
  invitation_id: string;
  by: 'POST' | 'PUT';
  from: string;
  /** Epoch ms. */
  at: number;
}
/** The effect of a write. */
export interface Made {
  effect: 'created' | 'replaced' | 'completed';
  record: OnboardRecord;
  from: string;
}
export interface Journal {
  arrivals: Arrival[];
  /** In their order. */
  made: Made[];
}
export interface Effects {
  posts: number;
  creates: number;
  puts: number;
  completes: number;
  emails: number;
}

type Line = { named: string; by: 'POST' | 'PUT'; from: string; at: number } | Made | { call: string };

/** Reads on from where it stopped, because it is asked often and a long run writes much. */
export class JournalFile {
  private readonly journal: Journal = { arrivals: [], made: [] };
  private fd: number | undefined;
  private read = 0;

  constructor(private readonly file: string) {}

  now(): Journal {
    this.fd ??= openSync(this.file, 'r');
    const bytes = Buffer.alloc(fstatSync(this.fd).size - this.read);
    readSync(this.fd, bytes, 0, bytes.length, this.read);
    const end = bytes.lastIndexOf('\n') + 1;
    for (const line of bytes.toString('utf8', 0, end).split('\n').slice(0, -1)) {
      const entry = JSON.parse(line) as Line;
      if ('named' in entry) this.journal.arrivals.push({ ...entry, invitation_id: entry.named.toLowerCase() });
      else if ('effect' in entry) this.journal.made.push(entry);
    }
    this.read += end;
    return this.journal;
  }
}

/** As LeadConduit's own screen shows them. */
export const listOf = ({ made }: Pick<Journal, 'made'>): OnboardRecord[] => [
  ...new Map(made.map(({ record }) => [record.id, record])).values(),
];

/** For each invitation, what one user of the account has asked for and done. */
export function effectsOf({ arrivals, made }: Journal, who: string): Record<string, Effects> {
  const all: Record<string, Effects> = {};
  const of = (id: string) => (all[id.toLowerCase()] ??= { posts: 0, creates: 0, puts: 0, completes: 0, emails: 0 });
  for (const { invitation_id, by, from } of arrivals)
    if (from === who) of(invitation_id)[by === 'POST' ? 'posts' : 'puts'] += 1;
  for (const { effect, record, from } of made) {
    if (from !== who || effect === 'replaced') continue;
    const effects = of(record.invitation_id);
    if (effect === 'created') effects.creates += 1;
    else {
      effects.completes += 1;
      effects.emails += 1;
    }
  }
  return all;
}
