import type { Config } from '../config';
import { ConfigError } from '../config-error';
import type { TemporalSettings } from '../temporal/connection';
import { claimPort } from '../temporal/ports';

/** The ports of `npm start`; a part that is not started here has none. */
export interface Ports {
  api: number;
  temporal?: number;
  ui?: number;
  emulator?: number;
}

const PORTS: Record<keyof Ports, [setting: string, who: string]> = {
  api: ['PORT', 'the API and the console'],
  temporal: ['TEMPORAL_PORT', 'Temporal'],
  ui: ['TEMPORAL_UI_PORT', "Temporal's web page"],
  emulator: ['EMULATOR_PORT', 'the emulator of LeadConduit'],
};

/** Claims all ports before anything is started that would have to be ended again.
 *  @throws {ConfigError} also if two settings name the same port */
export async function claimPorts({ api, ports, leadconduit }: Config, temporal: TemporalSettings): Promise<Ports> {
  const own: Ports = {
    api: ports.api,
    ...(temporal.isConfigured ? {} : { temporal: ports.temporal, ui: ports.temporalUi }),
    ...(leadconduit.apiKey === undefined ? { emulator: ports.emulator } : {}),
  };
  const wanted = Object.entries(own) as [keyof Ports, number][];
  const settingOf = new Map<number, string>();
  for (const [name, port] of wanted) {
    const [setting] = PORTS[name];
    const other = settingOf.get(port);
    if (other !== undefined && port !== 0)
      throw new ConfigError(
        `${other} and ${setting} are both ${port}: set one of them to another port, or to 0 for any free one`,
      );
    settingOf.set(port, setting);
  }
  for (const [name, port] of wanted) {
    const [setting, who] = PORTS[name];
    own[name] = await claimPort(port, who, setting, name === 'api' ? api.host : undefined);
  }
  return own;
}
