/**
 * What the payload converter returns for a payload that it cannot decode. The converter must never throw: a signal that
 * cannot be decoded would fail every workflow task and every query of the run.
 */
export const undecodable = (reason: string) => ({ __undecodable__: reason });

export const isUndecodable = (value: unknown): value is { __undecodable__: unknown } =>
  typeof value === 'object' && value !== null && '__undecodable__' in value;

/** Why the payload could not be read. Anybody can send a payload with this marker, so the reason may be anything. */
export const whyUndecodable = ({ __undecodable__: reason }: { __undecodable__: unknown }): string =>
  typeof reason === 'string' ? reason : 'it is marked as unreadable';
