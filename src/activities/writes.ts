/**
 * Which invitations this worker has a write out for. A run that was terminated or reset while its call is out is
 * followed by one whose look comes too early: on the same worker that is known, and the newcomer waits.
 */
export class Writes {
  private readonly byInvitation = new Map<string, { runId: string; until: number }>();

  /** Until when (ms since the epoch; Infinity while it is out) another run's write stands in the way. */
  blockedUntil(invitationId: string, runId: string): number | undefined {
    const write = this.byInvitation.get(invitationId);
    if (!write || write.runId === runId) return undefined;
    if (write.until > Date.now()) return write.until;
    this.byInvitation.delete(invitationId);
    return undefined;
  }

  begin(invitationId: string, runId: string): void {
    this.byInvitation.set(invitationId, { runId, until: Infinity });
  }

  /** @param settleMs for how long the write may still show its effect; 0 where its outcome is known. */
  end(invitationId: string, settleMs: number): void {
    const write = this.byInvitation.get(invitationId);
    if (!write) return;
    if (settleMs === 0) this.byInvitation.delete(invitationId);
    else {
      write.until = Date.now() + settleMs;
      setTimeout(() => this.forget(invitationId, write), settleMs).unref();
    }
  }

  private forget(invitationId: string, write: unknown): void {
    if (this.byInvitation.get(invitationId) === write) this.byInvitation.delete(invitationId);
  }
}
