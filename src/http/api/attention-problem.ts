import type { OnboardView } from '../../onboard/view';
import { ruleOf } from '../../onboard/attention';
import { Problem } from '../problems';

export const stateAddress = ({ invitation_id }: Pick<OnboardView, 'invitation_id'>) =>
  `/onboards/${invitation_id}/state`;

/** Statuses of LeadConduit that are passed on as they are. */
const HANDED_ON = [400, 404, 409, 422] as const;

/** For a caller whose request ended in an attention. A refusal by LeadConduit is passed on with its status and words. */
export function attentionProblem(state: OnboardView): Problem {
  const { attention, ledger } = state;
  const { code = '', message = '' } = attention ?? {};
  const address = stateAddress(state);
  const refusal = ledger.findLast(({ outcome }) => outcome === 'refused');
  const headers = { Location: address };
  // Without a worker, LeadConduit's status and words are not known.
  if (code === 'refused' && state.stale)
    return new Problem(503, `LeadConduit refused it; ${message}. See ${address}`, { ...headers, 'Retry-After': '5' });
  const status = code === 'refused' ? HANDED_ON.find((one) => one === refusal?.http_status) : undefined;
  if (status !== undefined) return new Problem(status, refusal?.words ?? message, headers);
  return new Problem(
    ruleOf(attention)?.httpStatus ?? 409,
    `It needs attention (${code}): ${message} See ${address}`,
    headers,
  );
}
