import { isGrpcServiceError, QueryNotRegisteredError, ServiceError, type Client } from '@temporalio/client';
import { OnboardsError } from './onboards-error';

/** Of gRPC. `CANCELLED` is what the server makes of our deadline when it sees it pass first. */
const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;
const FAILED_PRECONDITION = 9;

/** No worker polls, or it did not answer in time. */
export function isSilence(error: unknown): boolean {
  const cause =
    error instanceof ServiceError ? (error.cause as { code?: number } | undefined) : (error as { code?: number });
  return [DEADLINE_EXCEEDED, CANCELLED, FAILED_PRECONDITION].includes(cause?.code ?? 0);
}

/** A worker is there, but the run's task fails again and again. */
export function isStuck(error: unknown): boolean {
  const { cause } = error as { cause?: { details?: string } };
  return /failed state/i.test(cause?.details ?? '');
}

/** The workflow task was rejected and retried because an event arrived while the run was completing. Asking again succeeds. */
export function isInterrupted(error: unknown): boolean {
  const { cause } = error as { cause?: { details?: string } };
  return /unexpected workflow task failure/i.test(cause?.details ?? '');
}

/** Ends in time, and in an error of ours. */
export async function within<T>(temporal: Client, ms: number, work: () => Promise<T>): Promise<T> {
  try {
    return await temporal.withDeadline(Date.now() + ms, work);
  } catch (error) {
    throw translated(error);
  }
}

/** Temporal's errors in one line each. */
export function translated(error: unknown): unknown {
  if (error instanceof QueryNotRegisteredError) return new OnboardsError('temporal', `Temporal: ${error.message}`);
  // Bare where it comes from a call that the SDK only hands on.
  if (isGrpcServiceError(error)) return new OnboardsError('temporal', wordsOf(error));
  if (!(error instanceof ServiceError)) return error;
  return new OnboardsError('temporal', wordsOf({ message: error.message, ...(error.cause as object) }));
}

/** The channel's own words for a deadline are about its insides. */
function wordsOf({ code, details, message }: { code?: number; details?: string; message: string }): string {
  return code === DEADLINE_EXCEEDED ? 'Temporal did not answer in time' : `Temporal: ${details || message}`;
}
