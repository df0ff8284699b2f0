/** A worker that ends itself by SIGKILL at the given point of a call, on the given queue and bundle. */
import type { PayloadCodec } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createActivities } from '../../src/activities';
import { ListTrust } from '../../src/activities/list-trust';
import { InFlightWrites } from '../../src/activities/in-flight-writes';
import { loadConfig } from '../../src/config';
import { LeadConduitClient } from '../../src/leadconduit/client';
import { workerOptions } from '../../src/temporal/worker-options';
import type { CrashPoint } from './crash-points';

const { CRASH_AT, TEST_TEMPORAL_ADDRESS: address, TEST_WORKFLOW_BUNDLE: codePath = '' } = process.env;

function reach(point: CrashPoint): void {
  if (point === CRASH_AT) process.kill(process.pid, 'SIGKILL');
}

/** Sees what the workflow decided before the server does: a worker that dies at the effect's input has left nothing of it. */
const codec: PayloadCodec = {
  encode: (payloads) => {
    if (payloads.some(({ data }) => Buffer.from(data ?? []).includes('"maybe_sent_before":')))
      reach('before the intent');
    return Promise.resolve(payloads);
  },
  decode: (payloads) => Promise.resolve(payloads),
};

/** An attempt has left its mark with Temporal and begins its write. */
class Marked extends InFlightWrites {
  override begin(...about: Parameters<InFlightWrites['begin']>): void {
    reach('at the marker');
    super.begin(...about);
  }
}

async function main(): Promise<void> {
  const config = loadConfig();
  const { apiKey = '', ...leadconduit } = config.leadconduit;
  const activities = createActivities({
    leadconduit: new LeadConduitClient({
      ...leadconduit,
      apiKey,
      onStage: ({ operation, stage }) => {
        if (operation === 'look') return;
        if (stage === 'open') reach('socket open');
        if (stage === 'sent') reach('bytes sent');
        if (stage === 'answered') reach('answer read');
      },
    }),
    trust: new ListTrust(),
    writes: new Marked(),
    completedStatus: leadconduit.completedStatus,
    reserveMs: 1_000,
  });
  const around =
    <Input, Result extends { kind: string }>(act: (input: Input) => Promise<Result>) =>
    async (input: Input): Promise<Result> => {
      reach('before the look');
      const result = await act(input);
      // An attempt that had no time left to send comes to nothing, and is made again.
      if (result.kind === 'done') reach('before the return');
      return result;
    };
  const options = workerOptions(config);
  const worker = await Worker.create({
    ...options,
    dataConverter: { ...options.dataConverter, payloadCodecs: [codec] },
    connection: await NativeConnection.connect({ address }),
    workflowBundle: { codePath },
    activities: {
      ...activities,
      createOnboard: around(activities.createOnboard),
      moveOnboard: around(activities.moveOnboard),
    },
  });
  await worker.run();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
