import { isGrpcServiceError, QueryNotRegisteredError, ServiceError, type Client } from '@temporalio/client';
import { OnboardsError } from './onboards-error';

/** gRPC status codes. The server answers `CANCELLED` when it sees our deadline pass before we do. */
const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;
const FAILED_PRECONDITION = 9;

/** No worker polls, or it did not answer in time. */
export function isSilence(error: unknown): boolean {
  const cause =
    error instanceof ServiceError ? (error.cause as { code?: number } | undefined) : (error as { code?: number });
  return [DEADLINE_EXCEEDED, CANCELLED, FAILED_PRECONDITION].includes(cause?.code ?? 0);
}

/** A worker is there, but the run's workflow task fails again and again. */
export function isStuck(error: unknown): boolean {
  const { cause } = error as { cause?: { details?: string } };
  return /failed state/i.test(cause?.details ?? '');
}

/** The workflow task was rejected and retried because an event arrived while the run was completing. Asking again succeeds. */
export function isInterrupted(error: unknown): boolean {
  const { cause } = error as { cause?: { details?: string } };
  return /unexpected workflow task failure/i.test(cause?.details ?? '');
}

/** Runs `work` with a deadline, and turns Temporal's errors into ours. */
export async function within<T>(temporal: Client, ms: number, work: () => Promise<T>): Promise<T> {
  try {
    return await temporal.withDeadline(Date.now() + ms, work);
  } catch (error) {
    throw translated(error);
  }
}

/** Turns an error of Temporal's into one of ours, in one line. */
export function translated(error: unknown): unknown {
  if (error instanceof QueryNotRegisteredError) return new OnboardsError('temporal', `Temporal: ${error.message}`);
  // Calls that the SDK only passes on throw the bare gRPC error.
  if (isGrpcServiceError(error)) return new OnboardsError('temporal', wordsOf(error));
  if (!(error instanceof ServiceError)) return error;
  return new OnboardsError('temporal', wordsOf({ message: error.message, ...(error.cause as object) }));
}

/** gRPC's own message for a passed deadline describes its internals, so ours replaces it. */
function wordsOf({ code, details, message }: { code?: number; details?: string; message: string }): string {
  return code === DEADLINE_EXCEEDED ? 'Temporal did not answer in time' : `Temporal: ${details || message}`;
}
