/** The machines of a crash run: LeadConduit, which nothing kills, a Temporal server, and workers and an API as they are shipped. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { loadEnvironment } from '../../src/environment';
import { isAlive, signalGroup, startChild, type Child } from '../../src/processes';
import { findTemporal } from '../../src/temporal/find-cli';
import { claimPort } from '../../src/temporal/ports';
import { startTemporal, type TemporalServer } from '../../src/temporal/dev-server';
import { API_FROZEN_MS, FROZEN_MS, WORKERS, type Blow } from './plan';
import { API_KEY, LAG_MS, SETTINGS } from './settings';
import { Upstream } from './upstream';

const dist = join(__dirname, '..', '..', 'dist');
/** Lets a signal shut down the SDK of a worker. */
const SABOTAGE = join(__dirname, '..', '..', 'test', 'support', 'sabotage.cjs');
/** How long a blow waits until its target is ready; after that it is one that met nobody. */
const STANDS_MS = 300_000;
/** How long a process that has just become ready is spared: blows that wait for one another would else leave it no time to work. */
const SPARED_MS = 3_000;
/** How long a freeze waits for its worker to have a write in hand. */
const BUSY_MS = 3_000;
/** How long a worker whose SDK has shut down may live on, ms. By itself it ends in 10 s, and a call in flight takes its time. */
const UNNOTICED_MS = 20_000;
/** How long a worker that was frozen works on before it is ended. */
const AWAKE_MS = 8_000;
/** `enums.v1.PendingActivityState` */
const STARTED = 2;
const CALLING = "ExecutionStatus = 'Running' AND (OnboardPhase = 'creating' OR OnboardPhase = 'updating')";

export class Fleet {
  /** How often a worker or an API ended that was ready and not struck. One that finds no server at its start may give up. */
  deserted = 0;
  /** From the kill of the server until it answers again, ms. */
  readonly serverBack: number[] = [];
  /** The blows that met somebody. */
  readonly dealt: Blow[] = [];
  /** Of each worker that was frozen: how many writes it had in hand. */
  readonly inHand: number[] = [];
  /** How long each worker whose SDK had shut down lived on, ms. */
  readonly noticed: number[] = [];
  private readonly temporal: Client;
  private readonly running: { child: Child; letGo: () => void }[] = [];
  private api: Child | undefined;
  private readonly struck = new Set<Child>();
  /** Since when each has been ready, epoch ms. */
  private readonly ready = new Map<Child, number>();
  private readonly zombies = new Set<Child>();
  private readonly blows: Promise<void>[] = [];
  /** The last blow to the server: they come one at a time. */
  private serverBlow: Promise<void> = Promise.resolve();
  private closing = false;
  private readonly isClosing = () => this.closing;

  private constructor(
    private readonly folder: string,
    private readonly cli: string,
    private readonly ports: { temporal: number; api: number },
    readonly upstream: Upstream,
    private server: TemporalServer,
  ) {
    this.temporal = new Client({ connection: Connection.lazy({ address: this.address }) });
  }

  static async start(folder: string): Promise<Fleet> {
    const env = loadEnvironment();
    // A folder without a `.env`, which would reach the processes.
    process.chdir(folder);
    const cli = await findTemporal({ env, cliPath: env.TEMPORAL_CLI_PATH, say: (what) => console.error(what) });
    const upstream = await Upstream.start(folder);
    const server = await serve(folder, cli, 0);
    const temporal = Number(server.address.split(':')[1]);
    const api = await claimPort(0, 'the API', 'PORT');
    const fleet = new Fleet(folder, cli, { temporal, api }, upstream, server);
    await upstream.set({ lag_ms: LAG_MS });
    for (let slot = 0; slot < WORKERS; slot += 1) void fleet.keep(slot);
    void fleet.keepApi();
    return fleet;
  }

  get address(): string {
    return `127.0.0.1:${this.ports.temporal}`;
  }
  get apiUrl(): string {
    return `http://127.0.0.1:${this.ports.api}`;
  }

  /** Carries out a blow as soon as its target is ready, in the background. */
  strike(blow: Blow): void {
    const work = this.carryOut(blow);
    work.catch(() => undefined); // `healed` reports it
    this.blows.push(work);
  }

  private async carryOut(blow: Blow): Promise<void> {
    // The replacement of a process that was struck may not be ready yet.
    const until = Date.now() + STANDS_MS;
    while (!this.stands(blow)) {
      if (this.closing || Date.now() > until) return;
      await sleep(50);
    }
    this.dealt.push(blow);
    switch (blow.do) {
      case 'kill':
        return this.end(this.running[blow.worker]!.child, 'SIGKILL');
      case 'drain':
        return this.end(this.running[blow.worker]!.child, 'SIGTERM');
      case 'freeze':
        return this.freeze(this.running[blow.worker]!);
      case 'shut down the SDK':
        return this.shutDown(this.running[blow.worker]!.child);
      case 'kill the API':
      case 'drain the API':
        return this.end(this.api!, blow.do === 'kill the API' ? 'SIGKILL' : 'SIGTERM');
      case 'freeze the API': {
        const api = this.api!;
        signalGroup(api, 'SIGSTOP');
        await sleep(API_FROZEN_MS);
        signalGroup(api, 'SIGCONT');
        return;
      }
      case 'kill the server':
      case 'freeze the server':
      case 'drain the server':
        this.serverBlow = this.serverBlow.then(() => this.strikeServer(blow.do, blow.downMs));
        return this.serverBlow;
      case 'LeadConduit is down':
        await this.upstream.set({ down_ms: blow.ms });
        return;
      case 'the key is refused':
        await this.upstream.set({ key: 'another' });
        await sleep(blow.ms);
        await this.upstream.set({ key: null });
    }
  }

  /** Whether the target has been ready for a while and was not struck before. Blows to the server wait for their turn instead. */
  private stands(blow: Blow): boolean {
    if (!('worker' in blow) && !blow.do.endsWith('the API')) return true;
    const child = 'worker' in blow ? this.running[blow.worker]?.child : this.api;
    const since = child && this.ready.get(child);
    return since !== undefined && Date.now() - since >= SPARED_MS && isAlive(child!) && !this.struck.has(child!);
  }

  private async awaitReady(child: Child): Promise<void> {
    while (isAlive(child) && !/ ready/.test(child.output())) await sleep(100);
    this.ready.set(child, Date.now());
  }

  private async strikeServer(what: Blow['do'], downMs: number): Promise<void> {
    const since = Date.now();
    const group = -this.server.pid;
    if (what === 'freeze the server') {
      process.kill(group, 'SIGSTOP');
      await sleep(downMs);
      process.kill(group, 'SIGCONT');
      return;
    }
    if (what === 'drain the server') await this.server.stop();
    else process.kill(group, 'SIGKILL');
    await sleep(downMs);
    this.server = await this.serveAgain();
    if (what === 'kill the server') this.serverBack.push(Date.now() - since);
  }

  /** A machine that is busy may need more than one try. */
  private async serveAgain(tries = 5): Promise<TemporalServer> {
    try {
      return await serve(this.folder, this.cli, this.ports.temporal);
    } catch (error) {
      if (tries === 1) throw error;
      await sleep(500);
      return this.serveAgain(tries - 1);
    }
  }

  /** Resolves when all blows are over and the server answers again. */
  async healed(): Promise<void> {
    await Promise.all(this.blows);
  }

  private async end(child: Child, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.struck.add(child);
    signalGroup(child, signal);
    await child.ended;
  }

  /** Freezes a worker, which another replaces. It wakes up when every deadline has passed, works for a while, and is killed. */
  private async freeze({ child, letGo }: { child: Child; letGo: () => void }): Promise<void> {
    this.struck.add(child);
    this.zombies.add(child);
    const until = Date.now() + BUSY_MS;
    while ((await this.writesOf(child)) === 0 && Date.now() < until) await sleep(100);
    signalGroup(child, 'SIGSTOP');
    letGo();
    this.inHand.push(await this.writesOf(child));
    await sleep(FROZEN_MS);
    signalGroup(child, 'SIGCONT');
    await sleep(AWAKE_MS);
    await this.end(child, 'SIGKILL');
    this.zombies.delete(child);
  }

  /** Shuts down the SDK of a worker. Its process must notice that it no longer polls, because nothing else ends it. */
  private async shutDown(child: Child): Promise<void> {
    this.struck.add(child);
    signalGroup(child, 'SIGUSR2');
    const since = Date.now();
    await Promise.race([child.ended, sleep(UNNOTICED_MS)]);
    if (isAlive(child)) return this.end(child, 'SIGKILL');
    this.noticed.push(Date.now() - since);
  }

  /** How many creates and moves Temporal has with a worker; 0 if Temporal does not say so in time. */
  private async writesOf({ pid }: Child): Promise<number> {
    const { workflow } = this.temporal;
    const count = async () => {
      const calling = [];
      for await (const { workflowId, runId } of workflow.list({ query: CALLING }))
        calling.push(workflow.getHandle(workflowId, runId));
      return (await Promise.all(calling.map((run) => run.describe())))
        .flatMap(({ raw }) => raw.pendingActivities ?? [])
        .filter(
          ({ state, lastWorkerIdentity, activityType }) =>
            Number(state) === STARTED &&
            activityType?.name !== 'lookForOnboard' &&
            lastWorkerIdentity?.startsWith(`${pid}@`),
        ).length;
    };
    return this.temporal.withDeadline(Date.now() + BUSY_MS, count).catch(() => 0);
  }

  /** Keeps a worker running in this slot. */
  private async keep(slot: number): Promise<void> {
    while (!this.isClosing()) {
      const child = startChild({
        name: `Worker ${slot}`,
        command: process.execPath,
        args: [join(dist, 'worker.js')],
        env: { ...this.env(), NODE_OPTIONS: `--require ${SABOTAGE}` },
        logFile: join(this.folder, `worker-${slot}.log`),
      });
      void this.awaitReady(child);
      const frozen = new Promise<void>((letGo) => (this.running[slot] = { child, letGo }));
      await Promise.race([child.ended, frozen]);
      const wasReady = child.output().includes('Worker ready');
      if (wasReady && !this.struck.has(child) && !this.isClosing()) this.deserted += 1;
    }
  }

  private env() {
    return {
      PATH: process.env.PATH,
      TEMPORAL_ADDRESS: this.address,
      LEADCONDUIT_BASE_URL: this.upstream.url,
      ...SETTINGS,
    };
  }

  /** Keeps an API running. */
  private async keepApi(): Promise<void> {
    while (!this.isClosing()) {
      this.api = startChild({
        name: 'The API',
        command: process.execPath,
        args: [join(dist, 'http', 'server.js')],
        env: {
          ...this.env(),
          ONBOARDS_API_KEY: API_KEY,
          ONBOARDS_DATA_DIR: join(this.folder, 'api'),
          PORT: String(this.ports.api),
        },
        logFile: join(this.folder, 'api.log'),
      });
      void this.awaitReady(this.api);
      await this.api.ended;
      const wasReady = this.api.output().includes('API ready');
      if (wasReady && !this.struck.has(this.api) && !this.isClosing()) this.deserted += 1;
    }
  }

  async close(): Promise<void> {
    this.closing = true;
    const workers = [...this.running.map(({ child }) => child), ...this.zombies, ...(this.api ? [this.api] : [])];
    for (const child of workers) signalGroup(child, 'SIGKILL');
    await Promise.all(workers.map(({ ended }) => ended));
    await Promise.allSettled(this.blows);
    await Promise.all([this.server.stop(), this.upstream.close()]);
    await this.temporal.connection.close();
  }
}

const serve = (folder: string, cli: string, port: number): Promise<TemporalServer> =>
  startTemporal({
    ...{ cli, port, env: loadEnvironment() },
    dbFile: join(folder, 'temporal.db'),
    logFile: join(folder, 'temporal.log'),
  });
