/**
 * Which invitations this worker has a write out for. A run that was terminated or reset while its call is out is
 * followed by one whose look comes too early: on the same worker that is known, and the newcomer waits.
 */
export class InFlightWrites {
  private readonly byInvitation = new Map<string, { runId: string; until: number }>();

  /** For how much longer (ms; Infinity while it is out) another run's write stands in the way. */
  blockedMs(invitationId: string, runId: string): number {
    const write = this.byInvitation.get(invitationId);
    return !write || write.runId === runId ? 0 : Math.max(0, write.until - Date.now());
  }

  begin(invitationId: string, runId: string): void {
    this.byInvitation.set(invitationId, { runId, until: Infinity });
  }

  /** @param settleMs for how long the list may not show yet what the write did; 0 where nothing was sent. */
  end(invitationId: string, settleMs: number): void {
    const write = this.byInvitation.get(invitationId);
    if (!write) return;
    write.until = Date.now() + settleMs;
    setTimeout(() => this.forget(invitationId, write), settleMs).unref();
  }

  private forget(invitationId: string, write: unknown): void {
    if (this.byInvitation.get(invitationId) === write) this.byInvitation.delete(invitationId);
  }
}
