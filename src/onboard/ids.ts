/** LeadConduit's ids are BSON ids: 24 hexadecimal digits, in which upper and lower case mean the same. */
export const HEX24 = /^[0-9a-fA-F]{24}$/;
export const HEX24_RULE = 'must be 24 hexadecimal digits';
export const isHex24 = (value: unknown): value is string => typeof value === 'string' && HEX24.test(value);

/** Whether both name the same onboard, invitation or flow; false where one is missing. */
export const sameId = (one: string | null | undefined, other: string | null | undefined): boolean =>
  typeof one === 'string' && one.toLowerCase() === other?.toLowerCase();

export const WORKFLOW_TYPE = 'onboardBuyer';

const PREFIX = 'onboard-';

/** Every spelling of an invitation id gives the same workflow id, so a second run cannot start beside the first. */
export const workflowIdOf = (invitationId: string): string => `${PREFIX}${invitationId.toLowerCase()}`;
export const invitationIdOf = (workflowId: string): string => workflowId.slice(PREFIX.length);
