/**
 * What the payload converter hands on for a payload that it cannot read. It must never throw: a signal that
 * cannot be decoded would fail the workflow's task for ever, and its queries with it.
 */
export const undecodable = (reason: string) => ({ __undecodable__: reason });

export const isUndecodable = (value: unknown): value is { __undecodable__: unknown } =>
  typeof value === 'object' && value !== null && '__undecodable__' in value;

/** Why it could not be read. The marker may come from outside, too, with anything in it. */
export const whyUndecodable = ({ __undecodable__: reason }: { __undecodable__: unknown }): string =>
  typeof reason === 'string' ? reason : 'it is marked as one that cannot be read';
