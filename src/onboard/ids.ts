/** Ids. LeadConduit's are BSON ids: 24 hexadecimal digits, of which upper and lower case name the same thing. */
export const HEX24 = /^[0-9a-fA-F]{24}$/;
export const HEX24_RULE = 'must be 24 hexadecimal digits';
export const isHex24 = (value: unknown): value is string => typeof value === 'string' && HEX24.test(value);

/** Whether both name the same onboard, invitation or flow; false where one is missing. */
export const sameId = (one: string | null | undefined, other: string | null | undefined): boolean =>
  typeof one === 'string' && one.toLowerCase() === other?.toLowerCase();

export const WORKFLOW_TYPE = 'onboardBuyer';

const PREFIX = 'onboard-';

/** One workflow id for an invitation, however it is written, is what keeps a second run from starting beside the first. */
export const workflowIdOf = (invitationId: string): string => `${PREFIX}${invitationId.toLowerCase()}`;
export const invitationIdOf = (workflowId: string): string => workflowId.slice(PREFIX.length);
