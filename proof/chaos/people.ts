/** Those who use the product in a crash run: they follow the plan, repeat what they got no answer to, and one is on duty. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { OnboardsError, type OnboardsClient } from '../../src/client';
import { hasReached } from '../../src/onboard/lifecycle';
import type { Message } from '../../src/onboard/parse-message';
import type { Attention } from '../../src/onboard/attention';
import type { OnboardView } from '../../src/onboard/view';
import type { AnotherClient } from './another-client';
import type { ApiClient } from './api-client';
import type { Fleet } from './fleet';
import { OURS } from './journal';
import { UNDECODABLE, type Deed } from './deeds';
import type { Life } from './plan';
import { invitationIdOf, workflowIdOf } from '../../src/onboard/ids';

/** `unsure`: refused, or too late, after a try without an answer. */
export type Answer = 'accepted' | 'refused' | 'unsure';
export interface Said {
  invitation_id: string;
  deed: Deed;
  answers: Answer[];
  /** When it was first asked, and when each answer came, epoch ms. */
  askedAt: number;
  answeredAt: number[];
  /** Of a hold or a cancel that was accepted: whether a call was out then, which may have been sent. */
  wasOut?: boolean;
}

/** gRPC's: the run has ended. */
const NOT_FOUND = 5;
const AGAIN_MS = 500;
const MOST_PAUSE_MS = 5_000;
const REFUSED_MS = 2_000;
const DUTY_MS = 2_000;
/** How long somebody on duty leaves an onboard alone that they have seen to, or that goes on by itself. Each question costs a replay. */
const LEFT_ALONE_MS = 10_000;
const OPEN = "ExecutionStatus = 'Running' AND OnboardAttention IS NOT NULL";
/** How long `absence_unproven` may take to clear itself before somebody looks, as `docs/operators.md` says. */
const UNPROVEN_MS = 60_000;

export class People {
  readonly said: Said[] = [];
  /** How often each kind of attention was raised, as far as somebody saw it. */
  readonly attentions: Record<string, number> = {};
  started = 0;
  /** Tries that got no answer and were repeated. */
  repeats = 0;
  private readonly seen = new Set<string>();
  /** When each was last seen to, epoch ms. */
  private readonly seenTo = new Map<string, number>();
  private offDuty = false;
  private readonly isOffDuty = () => this.offDuty;

  constructor(
    private readonly onboards: OnboardsClient,
    private readonly api: ApiClient,
    private readonly temporal: Client,
    private readonly fleet: Fleet,
    private readonly another: AnotherClient,
    private readonly settleMs: number,
  ) {}

  async live(life: Life): Promise<void> {
    await this.untilAnswered(() => this.start(life));
    this.started += 1;
    let since = Date.now();
    for (const deed of life.deeds) {
      await sleep(Math.max(0, since + deed.at - Date.now()));
      const { invitation_id } = life;
      const said: Said = { invitation_id, deed, answers: [], askedAt: Date.now(), answeredAt: [] };
      this.said.push(said);
      for (let n = 0; n < deed.times; n += 1) {
        said.answers.push(await this.carryOut(life, said));
        said.answeredAt.push(Date.now());
      }
      if (deed.do === 'change elsewhere') since = Math.max(since, Date.now() - deed.at);
    }
  }

  private start({ invitation_id, flow_id, door }: Life): Promise<void> {
    const wanted = { invitation_id, ...(flow_id !== undefined && { flow_id }) };
    return door === 'api' ? this.api.start(wanted) : this.onboards.start(wanted);
  }

  private async carryOut(life: Life, about: Said): Promise<Answer> {
    const { invitation_id, door } = life;
    const { deed } = about;
    const { key } = deed;
    const send = (message: Message & { key: string }) =>
      door === 'api' ? this.api.send(invitation_id, message) : this.onboards.get(invitation_id).send(message);
    const said = { by: key, key };
    switch (deed.do) {
      case 'advance': {
        const { to } = deed;
        if (deed.as === 'signal') return this.signal(invitation_id, 'advance', { to, ...said });
        return this.untilAccepted(() => send({ name: 'advance', to, ...said }));
      }
      case 'hold':
      case 'release':
      case 'cancel':
        return this.untilAnswered(async () => {
          const { ledger } = await send({ name: deed.do, ...said });
          about.wasOut ??= ledger.at(-1)?.outcome === 'pending';
        });
      case 'note':
        return this.untilAnswered(() => send({ name: 'note', text: key, ...said }));
      case 'malformed':
        return this.signal(invitation_id, deed.name, deed.payload);
      case 'change elsewhere':
        await this.another.change(invitation_id, deed.change);
        return 'accepted';
      case 'start again':
        return this.untilAnswered(() => this.start({ ...life, invitation_id: invitation_id.toUpperCase() }));
      case 'follow again':
        return this.followAgain(life);
    }
  }

  private signal(invitation_id: string, name: string, payload: unknown): Promise<Answer> {
    const run = this.temporal.workflow.getHandle(workflowIdOf(invitation_id));
    return this.untilAnswered(() =>
      payload === UNDECODABLE ? this.signalUndecodable(run.workflowId, name) : run.signal(name, payload),
    );
  }

  private signalUndecodable(workflowId: string, signalName: string): Promise<unknown> {
    const payload = { metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.from('x') };
    return this.temporal.workflowService.signalWorkflowExecution({
      namespace: this.temporal.options.namespace,
      workflowExecution: { workflowId },
      signalName,
      input: { payloads: [payload] },
    });
  }

  /** Starts the onboard once more when its run has ended; if the cancel came too late, the run has ended as completed. */
  private async followAgain(life: Life): Promise<Answer> {
    for (let state: OnboardView | undefined; !['cancelled', 'done'].includes(state?.phase ?? '');) {
      if (state) await sleep(AGAIN_MS);
      await this.untilAnswered(async () => void (state = await this.onboards.get(life.invitation_id).state()));
    }
    return this.untilAnswered(() => this.start(life));
  }

  /** Repeats what is refused now and may be accepted later, until the onboard has ended. */
  private async untilAccepted(ask: () => Promise<OnboardView>): Promise<Answer> {
    for (;;) {
      const answer = await this.untilAnswered(ask);
      if (answer !== 'refused') return answer;
      await sleep(REFUSED_MS);
    }
  }

  /** Repeats the same, with the same key, for as long as there is no answer. */
  private async untilAnswered(ask: () => Promise<unknown>): Promise<Answer> {
    for (let tries = 1; ; tries += 1) {
      try {
        await ask();
        return 'accepted';
      } catch (error) {
        const isEnded =
          error instanceof WorkflowNotFoundError ||
          (isGrpcServiceError(error) && (error.code as number) === NOT_FOUND) ||
          (error instanceof OnboardsError && /is completed|has ended|not followed/.test(error.message));
        if (isEnded) return 'unsure';
        if (error instanceof OnboardsError && error.code === 'refused') return tries === 1 ? 'refused' : 'unsure';
        this.repeats += 1;
        // As the API asks: on a busy machine, clients that do not wait keep it busy.
        await sleep(Math.min(AGAIN_MS * 2 ** (tries - 1), MOST_PAUSE_MS));
      }
    }
  }

  /** Looks after whatever needs attention, by the table in docs/operators.md, until `endDuty`. */
  async duty(): Promise<void> {
    while (!this.isOffDuty()) {
      await sleep(DUTY_MS);
      try {
        const open = [];
        for await (const { workflowId } of this.temporal.workflow.list({ query: OPEN })) open.push(workflowId);
        const due = open.filter((id) => Date.now() - (this.seenTo.get(id) ?? 0) >= LEFT_ALONE_MS);
        await Promise.all(
          due.map(async (workflowId) => {
            await this.decide(invitationIdOf(workflowId));
            this.seenTo.set(workflowId, Date.now());
          }),
        );
      } catch {
        // Temporal or LeadConduit is down: the next round comes in two seconds.
      }
    }
  }

  endDuty(): void {
    this.offDuty = true;
  }

  private async decide(invitation_id: string): Promise<void> {
    const state = await this.onboards.get(invitation_id).state();
    const { attention, stale } = state;
    if (!attention || stale) return;
    const id = `${invitation_id} ${attention.since} ${attention.id}`;
    if (!this.seen.has(id)) this.attentions[attention.code] = (this.attentions[attention.code] ?? 0) + 1;
    this.seen.add(id);
    const order = await this.orderFor(state, attention);
    if (order)
      await this.onboards
        .get(invitation_id)
        .send({ name: 'resolve', attention: attention.id, by: 'on duty', ...order });
  }

  private async orderFor(
    { invitation_id, record, ledger }: OnboardView,
    { code, since }: Attention,
  ): Promise<{ action: 'retry' | 'adopt'; onboard_id?: string } | undefined> {
    const age = Date.now() - Date.parse(since);
    const { made } = this.fleet.upstream.journal();
    const shown = this.fleet.upstream.list().filter((one) => one.invitation_id === invitation_id);
    switch (code) {
      case 'refused':
      case 'not_listed':
      case 'failed_upstream':
        return { action: 'retry' };
      case 'unknown_outcome':
      case 'absence_unproven': {
        if (age < (code === 'unknown_outcome' ? this.settleMs : UNPROVEN_MS)) return undefined;
        const effect = ledger.at(-1)?.effect ?? 'create';
        const isThere =
          effect === 'create'
            ? shown.length > 0
            : shown.some(({ id, status }) => id === record?.id && hasReached(status ?? null, effect));
        return { action: isThere ? 'adopt' : 'retry' };
      }
      case 'duplicate': {
        const ours = made.find(({ from, record: one }) => from === OURS && one.invitation_id === invitation_id);
        return { action: 'adopt', onboard_id: record?.id ?? ours?.record.id ?? shown[0]?.id };
      }
      case 'flow_conflict':
        return { action: 'adopt' };
      case 'unexpected_status': {
        // To adopt would be to say that the call took effect. The client that took the status back puts it right instead.
        const reached = ledger.findLast(({ outcome }) => outcome === 'done' || outcome === 'adopted')?.effect;
        const there = shown.find(({ id }) => id === record?.id);
        if (there && reached && reached !== 'create' && !hasReached(there.status ?? null, reached))
          await this.another.putRight(there.id, reached);
        return { action: 'retry' };
      }
      case 'credentials':
      case 'not_sent':
      case 'list_unreadable':
        return undefined; // goes on by itself
    }
  }
}
