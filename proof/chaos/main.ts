/**
 * `npm run chaos -- --onboards N --seed S --minutes M [--report file]`: a run in which workers, the API and the Temporal
 * server are killed, frozen and drained, LeadConduit misbehaves, and people send messages of all kinds. The judge is the
 * emulator's ledger.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { OnboardsClient } from '../../src/client';
import { loadConfig } from '../../src/config';
import { Progress } from '../../src/up/progress';
import { state as askState } from '../../src/workflows/messages';
import type { OnboardView } from '../../src/onboard/view';
import { ApiClient } from './api-client';
import { AnotherClient } from './another-client';
import { Fleet } from './fleet';
import { ANOTHER, effectsOf, listOf, OURS } from './journal';
import type { Evidence } from './oracle';
import { People } from './people';
import { planOf, type Fault, type Plan, type Size } from './plan';
import { reportOf, tableOf } from './report';
import { API_KEY, KEY, SETTINGS } from './settings';
import { invitationIdOf, workflowIdOf } from '../../src/onboard/ids';

/** How long everything may take to come to rest when nothing is done to it any more, ms. */
const SETTLE_MS = 6 * 60_000;
/** How much longer than the given minutes a run may take, ms. */
const OVERHEAD_MS = SETTLE_MS + 10 * 60_000;
const ASKED_AT_ONCE = 8;
/** Without the workflow that records whose server it is. */
const ONBOARDS = "TaskQueue = 'chaos' AND WorkflowType = 'onboardBuyer'";
const TELL_MS = 30_000;
/** How many onboards have their histories replayed by the replay tests. */
const SAMPLES = 40;
const USAGE = 'Usage: npm run chaos -- --onboards N --seed S --minutes M [--report file]';

function readSize(): Size & { report: string } {
  try {
    const { values } = parseArgs({
      options: {
        onboards: { type: 'string', default: '300' },
        seed: { type: 'string', default: '1' },
        minutes: { type: 'string', default: '5' },
        report: { type: 'string' },
      },
    });
    const [onboards, seed, minutes] = [values.onboards, values.seed, values.minutes].map(Number) as [
      number,
      number,
      number,
    ];
    if (![onboards, seed].every(Number.isSafeInteger) || onboards < 1 || !(minutes > 0))
      throw new Error('--onboards, --seed and --minutes must be numbers');
    const report = resolve(values.report ?? join(tmpdir(), `onboards-chaos-${onboards}-seed-${seed}.json`));
    return { onboards, seed, minutes, report };
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}

class Run {
  private constructor(
    private readonly plan: Plan,
    private readonly folder: string,
    readonly fleet: Fleet,
    private readonly connection: Connection,
    private readonly temporal: Client,
    readonly people: People,
    private readonly another: AnotherClient,
    private readonly onboards: OnboardsClient,
  ) {}

  static async start(plan: Plan, folder: string): Promise<Run> {
    const fleet = await Fleet.start(folder);
    const config = loadConfig({ ...SETTINGS, LEADCONDUIT_BASE_URL: fleet.upstream.url });
    const connection = await Connection.connect({ address: fleet.address });
    const temporal = new Client({ connection });
    const onboards = OnboardsClient.over(connection, 'default', config);
    const another = new AnotherClient(fleet.upstream.url, KEY, () => fleet.upstream.journal());
    return new Run(
      plan,
      folder,
      fleet,
      connection,
      temporal,
      new People(onboards, new ApiClient(fleet.apiUrl, API_KEY), temporal, fleet, another, config.settleMs),
      another,
      onboards,
    );
  }

  async close(): Promise<void> {
    this.people.endDuty();
    // The processes end first: calls that are cut off with their connection may end this one.
    await this.fleet.close();
    await this.connection.close();
  }

  async through(progress: Progress): Promise<Evidence> {
    const { plan, fleet, people, another } = this;
    progress.step('The first onboard, so that the list is known to show what is created');
    await this.warmUp();
    await fleet.upstream.plan(plan.faults);
    const duty = people.duty();
    const tell = setInterval(() => progress.step(`${people.started} of ${plan.onboards} started`), TELL_MS);
    const since = Date.now();
    const at = (ms: number) => sleep(Math.max(0, since + ms - Date.now()));
    const lives = Promise.all(plan.lives.map(async (life) => at(life.at).then(() => people.live(life))));
    const rivals = Promise.all(plan.rivals.map((rival) => at(rival.at).then(() => another.create(rival))));
    for (const blow of plan.blows) {
      await at(blow.at);
      fleet.strike(blow);
    }
    await at(plan.minutes * 60_000);
    await fleet.healed();
    // Lists are good from now on. A call that is late still meets its fault, or a slow machine would meet fewer of them.
    const isAtCall = ({ on }: Fault) => on !== 'GET';
    const unmet = await fleet.upstream.faultsLeft();
    await fleet.upstream.plan(unmet.filter(isAtCall));
    clearInterval(tell);
    progress.step('Letting it all settle');
    await Promise.race([
      Promise.all([lives, rivals]).then(() => this.untilAtRest()),
      sleep(SETTLE_MS, undefined, { ref: false }),
    ]);
    people.endDuty();
    await duty;
    const left = [...(await fleet.upstream.faultsLeft()), ...unmet.filter((fault) => !isAtCall(fault))];
    progress.step('Asking every run');
    const journal = fleet.upstream.journal();
    return {
      lives: plan.lives,
      said: people.said,
      ...(await this.states()),
      journal,
      ledger: effectsOf(journal, OURS),
      others: effectsOf(journal, ANOTHER),
      elsewhere: another.done,
      list: listOf(journal),
      faults: { planned: plan.faults, left },
      blows: { planned: plan.blows, dealt: fleet.dealt, inHand: fleet.inHand, noticed: fleet.noticed },
      deserted: fleet.deserted,
    };
  }

  private async warmUp(): Promise<void> {
    const invitation_id = 'f'.repeat(24);
    await this.onboards.start({ invitation_id });
    const { record } = await this.onboards.whenCreated({ invitation_id }, 60_000);
    if (!record) throw new Error(`The first onboard was not created: see the logs in ${this.folder}`);
    await this.onboards.get(invitation_id).send({ name: 'cancel' });
  }

  private async untilAtRest(): Promise<void> {
    const running = { count: 1 };
    while (running.count > 0) {
      await sleep(1_000);
      Object.assign(
        running,
        await this.temporal.workflow.count(`${ONBOARDS} AND ExecutionStatus = 'Running'`).catch(() => ({})),
      );
    }
  }

  /** The states of all runs, of each invitation the latest last. */
  private async states(): Promise<Pick<Evidence, 'runs' | 'silent'>> {
    const found: { invitation: string; at: number; state: OnboardView }[] = [];
    const silent: string[] = [];
    const runs = this.temporal.workflow.list({ query: ONBOARDS })[Symbol.asyncIterator]();
    const askAll = async () => {
      for (let next = await runs.next(); next.done !== true; next = await runs.next()) {
        const { workflowId, runId, startTime } = next.value;
        const invitation = invitationIdOf(workflowId);
        const state = await this.ask(workflowId, runId);
        if (state) found.push({ invitation, at: startTime.getTime(), state });
        else silent.push(invitation);
      }
    };
    await Promise.all(Array.from({ length: ASKED_AT_ONCE }, askAll));
    const states = new Map<string, OnboardView[]>();
    for (const { invitation, state } of found.sort((a, b) => a.at - b.at))
      states.set(invitation, [...(states.get(invitation) ?? []), state]);
    return { runs: states, silent };
  }

  private async ask(workflowId: string, runId: string): Promise<OnboardView | undefined> {
    for (let tries = 1; tries <= 10; tries += 1)
      try {
        return await this.temporal.workflow.getHandle(workflowId, runId).query(askState);
      } catch {
        await sleep(500);
      }
    return undefined;
  }

  async saveHistories(invitations: string[], folder: string): Promise<void> {
    mkdirSync(folder, { recursive: true });
    for (const invitation of invitations) {
      const query = `WorkflowId = '${workflowIdOf(invitation)}'`;
      for await (const { workflowId, runId } of this.temporal.workflow.list({ query })) {
        const history = await this.temporal.workflow.getHandle(workflowId, runId).fetchHistory();
        writeFileSync(join(folder, `chaos.${workflowId}-${runId}.json`), historyToJSON(history));
      }
    }
  }
}

/** @returns whether every check was kept. */
async function main(): Promise<boolean> {
  const { report: file, ...size } = readSize();
  const plan = planOf(size);
  const folder = mkdtempSync(join(tmpdir(), 'onboards-chaos-'));
  const progress = new Progress(process.stderr);
  const since = Date.now();
  progress.step('Starting the emulator, Temporal and the workers');
  const run = await Run.start(plan, folder);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      progress.line('Stopping …');
      void run.close().finally(() => process.exit(130));
    });
  let isKept = false;
  try {
    const tooLong = sleep(plan.minutes * 60_000 + OVERHEAD_MS, undefined, { ref: false }).then(() => {
      throw new Error('The run does not come to its end');
    });
    const evidence = await Promise.race([run.through(progress), tooLong]);
    const report = reportOf(plan, evidence, run.people, run.fleet, Date.now() - since);
    progress.over();
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
    console.log(`${tableOf(report)}\n\nAll of it: ${file}`);
    const broken = report.checks.filter(({ passed }) => !passed);
    isKept = broken.length === 0;
    const offenders = broken.flatMap((one) => one.offenders.map((text) => text.slice(0, 24)));
    await run.saveHistories(
      [...new Set(offenders)].filter((id) => /^[0-9a-f]{24}$/.test(id)),
      join(folder, 'offenders'),
    );
    const { PROOF_HISTORIES: samples } = process.env;
    if (samples !== undefined)
      await run.saveHistories(
        plan.lives.slice(0, SAMPLES).map(({ invitation_id }) => invitation_id),
        samples,
      );
  } catch (error) {
    // Reported before the run is closed: calls that are cut off by that may end this process.
    console.error(error);
    throw error;
  } finally {
    await run.close();
    if (isKept) rmSync(folder, { recursive: true, force: true });
    else console.error(`Logs, and the histories of offenders: ${folder}`);
  }
  return isKept;
}

// Exit at once: if something never came to rest, people would go on asking for ever.
main().then(
  (isKept) => process.exit(isKept ? 0 : 1),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
