const PREFIX = 'onboard-';

/** Upper and lower case name the same invitation, and one workflow id for it is what keeps a second run away. */
export const workflowIdOf = (invitationId: string) => `${PREFIX}${invitationId.toLowerCase()}`;
export const invitationIdOf = (workflowId: string) => workflowId.slice(PREFIX.length);
export const isHexId = (text: string) => /^[0-9a-f]{24}$/i.test(text);
