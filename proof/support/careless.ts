import { LeadConduitClient, type WireEvent } from '../../src/leadconduit/client';
import type { World } from '../../test/support/world';

/** A client with a bug: it throws an unexpected error when a call goes wrong, so that Temporal may run the activity again. */
export class Careless extends LeadConduitClient {
  override createOnboard(...args: Parameters<LeadConduitClient['createOnboard']>) {
    return super.createOnboard(...args).catch(bug);
  }
  override putOnboard(...args: Parameters<LeadConduitClient['putOnboard']>) {
    return super.putOnboard(...args).catch(bug);
  }
}

function bug(): never {
  throw new Error('a bug');
}

/** Gives the worker of a world another client; `onStage` is told how far its calls have got. */
export async function useClient(
  world: World,
  Client: typeof LeadConduitClient,
  onStage?: (event: WireEvent) => void,
): Promise<void> {
  const { leadconduit } = world.config;
  await world.stopWorker();
  await world.startWorker({ leadconduit: new Client({ ...leadconduit, apiKey: leadconduit.apiKey ?? '', onStage }) });
}
