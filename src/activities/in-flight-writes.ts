/**
 * The invitations for which this worker has a write under way. If a run is terminated or reset meanwhile, the look of
 * the next run comes too early to show the effect. On the same worker, that run waits.
 */
export class InFlightWrites {
  private readonly byInvitation = new Map<string, { runId: string; until: number }>();

  /** How long another run's write blocks this one, in ms; Infinity while it is under way. */
  blockedMs(invitationId: string, runId: string): number {
    const write = this.byInvitation.get(invitationId);
    return !write || write.runId === runId ? 0 : Math.max(0, write.until - Date.now());
  }

  begin(invitationId: string, runId: string): void {
    this.byInvitation.set(invitationId, { runId, until: Infinity });
  }

  /** @param settleMs how long the list may not show the effect yet; 0 if nothing was sent. */
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
