import { randomBytes } from 'node:crypto';
import { appendFileSync, closeSync, ftruncateSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { OnboardRecord } from '../leadconduit/schema';

export const METHODS = ['GET', 'POST', 'PUT'] as const;
export type Method = (typeof METHODS)[number];
export const isMethod = (word: string): word is Method => METHODS.some((method) => method === word);

/**
 * Something that happened. `record`: the onboard after an effect. `seeded`: an onboard that no caller made. `from`: the user
 * name that the caller sent beside the key. `at`: when the call arrived, in epoch ms.
 */
export type Entry =
  | { call: Method; in_flight: number }
  | { named: string; by: Method; from?: string; at?: number }
  | { effect: 'seeded' | 'created' | 'replaced' | 'completed'; record: OnboardRecord; from?: string };

export const newId = () => randomBytes(12).toString('hex');

export function newRecord(invitation_id: string, flow_id: string | null = null): OnboardRecord {
  const now = new Date().toISOString();
  const ids = { invitation_id, id: newId(), account_id: newId(), connection_id: newId(), flow_id };
  return { ...ids, status: 'created', created_at: now, updated_at: now };
}

const tallied = () => ({ posts: 0, creates: 0, puts: 0, completes: 0, emails: 0 });

function parse(line: string, where: string): Entry {
  try {
    return JSON.parse(line) as Entry;
  } catch (error) {
    throw new Error(`${where} is damaged: put it right or remove the file`, { cause: error });
  }
}

/**
 * All records and counts of the emulator: everything that happened, in order, and what follows from it.
 *
 * With a data directory, each entry is in the file before `append` returns, and so before any answer is sent: an emulator
 * that is killed forgets nothing that a caller was told.
 */
export class Ledger {
  /** Each record with its earlier versions, oldest first. */
  private readonly records = new Map<string, { record: OnboardRecord; posted: boolean; before: OnboardRecord[] }>();
  private readonly invitations = new Map<string, ReturnType<typeof tallied>>();
  private readonly calls: Record<Method, number> = { GET: 0, POST: 0, PUT: 0 };
  private maxInFlight = 0;
  private fd: number | undefined;

  constructor(dataDir?: string) {
    if (dataDir === undefined) return;
    mkdirSync(dataDir, { recursive: true });
    this.fd = openSync(path.join(dataDir, 'emulator.jsonl'), 'a+');
    const file = readFileSync(this.fd);
    const whole = file.lastIndexOf('\n') + 1;
    // A kill cut off what follows the last newline, and it was never answered. Left there, it would spoil the next entry.
    if (whole < file.length) ftruncateSync(this.fd, whole);
    const lines = file.toString('utf8', 0, whole).split('\n').slice(0, -1);
    for (const [index, line] of lines.entries()) this.apply(parse(line, `emulator.jsonl, line ${index + 1}`));
  }

  append(entry: Entry): void {
    if (this.fd !== undefined) appendFileSync(this.fd, `${JSON.stringify(entry)}\n`);
    this.apply(entry);
  }

  find(id: string): OnboardRecord | undefined {
    return this.records.get(id.toLowerCase())?.record;
  }

  now(): OnboardRecord[] {
    return [...this.records.values()].map(({ record }) => record);
  }

  /** The records as they were at that time, by their own `updated_at`. */
  before(time: number): OnboardRecord[] {
    const isThere = ({ updated_at }: OnboardRecord) => !(Date.parse(updated_at ?? '') > time);
    return [...this.records.values()].flatMap(({ record, before }) => [...before, record].findLast(isThere) ?? []);
  }

  /** Whether a caller made it, so that it was not seeded. */
  isPosted({ id }: OnboardRecord): boolean {
    return this.records.get(id.toLowerCase())?.posted === true;
  }

  /** The answer of `GET /_emulator/ledger`. */
  summary() {
    return {
      invitations: Object.fromEntries(this.invitations),
      calls: this.calls,
      max_in_flight: this.maxInFlight,
    };
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }

  private apply(entry: Entry): void {
    if ('call' in entry) {
      this.calls[entry.call] += 1;
      this.maxInFlight = Math.max(this.maxInFlight, entry.in_flight);
    } else if ('named' in entry) {
      this.tally(entry.named)[entry.by === 'POST' ? 'posts' : 'puts'] += 1;
    } else {
      this.keep(entry.effect, entry.record);
    }
  }

  private keep(effect: 'seeded' | 'created' | 'replaced' | 'completed', record: OnboardRecord): void {
    const id = record.id.toLowerCase();
    const known = this.records.get(id);
    const posted = effect === 'created' || known?.posted === true;
    this.records.set(id, { record, posted, before: known ? [...known.before, known.record] : [] });
    if (effect === 'created') this.tally(record.invitation_id).creates += 1;
    if (effect !== 'completed') return;
    this.tally(record.invitation_id).completes += 1;
    this.tally(record.invitation_id).emails += 1;
  }

  private tally(invitation: string) {
    const id = invitation.toLowerCase();
    const found = this.invitations.get(id) ?? tallied();
    this.invitations.set(id, found);
    return found;
  }
}
