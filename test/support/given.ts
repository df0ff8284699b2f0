/** Brings an onboard into a state without a server: the rules themselves apply what happened to it. */
import { applyLook } from '../../src/onboard/apply-look';
import { applyMessage } from '../../src/onboard/apply-message';
import { applyOutcome } from '../../src/onboard/apply-outcome';
import type { Evidence } from '../../src/onboard/evidence';
import type { OnboardInput } from '../../src/onboard/input';
import type { Effect } from '../../src/onboard/lifecycle';
import { nextStep, type LookFor } from '../../src/onboard/next-step';
import type { LookResult, Outcome, SeenOnboard } from '../../src/onboard/outcome';
import type { Message } from '../../src/onboard/parse-message';
import { begin, intend, type OnboardState } from '../../src/onboard/state';
import { datePhase, view, type OnboardView } from '../../src/onboard/view';

export const INVITATION = 'a'.repeat(24);
export const OURS = '1'.repeat(24);
export const THEIRS = '2'.repeat(24);
export const FLOW = 'f'.repeat(24);
export const OTHER_FLOW = 'e'.repeat(24);
export const START = Date.parse('2026-01-01T00:00:00Z');
export const SETTLE = 1_000;
export const RUN: Evidence = { run_id: 'this run', is_reset: false };

/** LeadConduit's record as a list or an answer shows it. */
export const seen = (status = 'created', { id = OURS, flow_id = null as string | null } = {}): SeenOnboard => ({
  record: { id, invitation_id: INVITATION, status, flow_id },
  status,
});
export const listed = (...onboards: SeenOnboard[]): LookResult => ({
  ...{ kind: 'seen', onboards, proves_absence: true, evidence: RUN },
});

/** Its clock stands still unless a test moves it. */
export class Given {
  now = START;
  readonly onboard: OnboardState;

  constructor(input: Partial<OnboardInput> = {}) {
    const policy = { settle_ms: SETTLE, confirm_ms: 60_000, backoff_ms: 100, credentials_backoff_ms: 100 };
    this.onboard = begin({ invitation_id: INVITATION, policy, ...input }, this.now);
  }

  get view(): OnboardView {
    datePhase(this.onboard, this.now);
    return view(this.onboard, this.now);
  }

  get events(): string[] {
    return this.onboard.timeline.map(({ event }) => event);
  }

  get ledger(): string[] {
    return this.onboard.ledger.map(({ effect, outcome }) => `${effect} ${outcome}`);
  }

  step() {
    return nextStep(this.onboard, this.now);
  }

  later(ms: number): this {
    this.now += ms;
    return this;
  }

  /** Makes an attempt, which comes to this outcome. */
  tried(effect: Effect, outcome: Outcome): this {
    intend(this.onboard, effect, this.now);
    applyOutcome(this.onboard, { evidence: RUN, ...outcome }, this.now);
    return this;
  }

  looked(about: LookFor, look: LookResult, asked = this.now): this {
    applyLook(this.onboard, about, look, asked, this.now);
    return this;
  }

  told(...messages: Message[]): this {
    for (const message of messages) applyMessage(this.onboard, message, this.now);
    return this;
  }

  created(flow_id: string | null = null): this {
    return this.tried('create', { kind: 'done', adopted: false, seen: seen('created', { flow_id }) });
  }

  moved(...statuses: ('in_progress' | 'completed')[]): this {
    for (const status of statuses) {
      this.told({ name: 'advance', to: status });
      this.tried(status, { kind: 'done', adopted: false, seen: seen(status) });
    }
    return this;
  }

  /** The answer to a call was lost, and three looks do not show its effect. */
  lost(effect: Effect, look: LookResult): this {
    this.tried(effect, { kind: 'unknown', words: 'reset' });
    for (const after of [1, 2, 4]) {
      this.now = Math.max(this.now, this.onboard.operation!.absence_counts_from + after * SETTLE);
      this.looked('effect', look);
    }
    return this;
  }
}
