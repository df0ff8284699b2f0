/** Something that the caller of the OnboardsClient can act on; the message is for people. */
export class OnboardsError extends Error {
  override readonly name = 'OnboardsError';
  /**
   * - `not_found`: no onboard of this id is known here
   * - `refused`: this request is refused or in conflict; nothing was changed
   * - `no_worker`: no worker answered in time; what was sent may still be carried out
   * - `temporal`: Temporal answered with an error of its own
   */
  constructor(
    readonly code: 'not_found' | 'refused' | 'no_worker' | 'temporal',
    message: string,
  ) {
    super(message);
  }
}
