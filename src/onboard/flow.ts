/** The flow of the buyer in the seller's account. Ids of flows are kept in lower case. */
import type { OnboardRecord } from './outcome';

type WithRecord = { record: Pick<OnboardRecord, 'flow_id'> | null };

/** The flow of LeadConduit's record. */
export const flowOf = ({ record }: WithRecord): string | null => record?.flow_id?.toLowerCase() ?? null;

/** The flow that counts: the one that people asked for, else the record's. */
export const effectiveFlow = (onboard: WithRecord & { requested_flow_id?: string }): string | null =>
  onboard.requested_flow_id ?? flowOf(onboard);
