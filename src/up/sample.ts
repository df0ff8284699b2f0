import { OnboardsClient } from '../client';
import type { Config } from '../config';
import type { Environment } from '../environment';

/** The invitation of the reference's examples. */
export const SAMPLE_INVITATION = '64b8f0f5e4b0c3a1d5e6f7a8';

/** A repeat finds the same onboard, so a crash before this is noted as done does no harm. */
export async function startSample(config: Config, env: Environment): Promise<void> {
  const client = await OnboardsClient.connect(config, env);
  try {
    await client.start({ invitation_id: SAMPLE_INVITATION });
  } finally {
    await client.close();
  }
}
