/** What a person has to know or to decide, and what their answers mean. */
interface AttentionRule {
  /**
   * `answer`: it stays until a person answers it. `itself`: the next look or call that succeeds clears it. `look`: the
   * same, and a held onboard makes looks for this alone.
   */
  endedBy: 'answer' | 'itself' | 'look';
  /** What the onboard waits for; the attention's own message follows. */
  waitsFor: string;
  /** `sends`: a retry is the order to send the call. `looks`: it only looks. `tries`: it looks, and sends what is due. */
  retry: 'sends' | 'looks' | 'tries';
  /**
   * `effect`: a person says that the call took effect, or that the onboard which it was to create is there. `seen effect`: the
   * same person has also seen in LeadConduit how the set-up ended. `one of several`: a person keeps one of the onboards that
   * were shown. `flow`: a person accepts the flow of LeadConduit's record.
   */
  adopt: 'effect' | 'seen effect' | 'one of several' | 'flow' | { refusedWhile: string };
  /** The list is at fault: a retry may name an onboard that is gone from LeadConduit. */
  isAboutTheList?: true;
  /** The HTTP status with which our API answers a caller whose request ended in this attention. */
  httpStatus: 409 | 502;
}

export const ATTENTION = {
  refused: { endedBy: 'answer', waitsFor: 'a decision', retry: 'sends', adopt: 'effect', httpStatus: 409 },
  credentials: {
    endedBy: 'look',
    waitsFor: 'somebody to correct the key for LeadConduit; it then goes on by itself',
    retry: 'tries',
    adopt: { refusedWhile: 'the key is refused' },
    httpStatus: 502,
  },
  unknown_outcome: { endedBy: 'answer', waitsFor: 'a decision', retry: 'sends', adopt: 'effect', httpStatus: 409 },
  absence_unproven: {
    endedBy: 'itself',
    waitsFor: 'a decision',
    retry: 'sends',
    adopt: 'effect',
    isAboutTheList: true,
    httpStatus: 409,
  },
  duplicate: { endedBy: 'answer', waitsFor: 'a decision', retry: 'looks', adopt: 'one of several', httpStatus: 409 },
  flow_conflict: { endedBy: 'answer', waitsFor: 'a decision', retry: 'tries', adopt: 'flow', httpStatus: 409 },
  failed_upstream: { endedBy: 'answer', waitsFor: 'a decision', retry: 'looks', adopt: 'seen effect', httpStatus: 409 },
  unexpected_status: {
    endedBy: 'answer',
    waitsFor: 'a decision',
    retry: 'looks',
    adopt: 'seen effect',
    httpStatus: 409,
  },
  list_unreadable: {
    endedBy: 'look',
    waitsFor:
      'a list from LeadConduit that can be used; somebody may have to correct the cause, and it then goes on by itself',
    retry: 'tries',
    adopt: { refusedWhile: 'the list cannot be relied on' },
    isAboutTheList: true,
    httpStatus: 409,
  },
  not_listed: { endedBy: 'answer', waitsFor: 'a decision', retry: 'tries', adopt: 'seen effect', httpStatus: 409 },
  not_sent: {
    endedBy: 'itself',
    waitsFor: 'the call to get through; somebody may have to remove what prevents it, and it then goes on by itself',
    retry: 'tries',
    adopt: { refusedWhile: 'the call cannot be sent' },
    httpStatus: 409,
  },
} as const satisfies Record<string, AttentionRule>;
export type AttentionCode = keyof typeof ATTENTION;
export const ATTENTION_CODES = Object.keys(ATTENTION) as [AttentionCode, ...AttentionCode[]];

/** The rule of an attention, if there is one. */
export const ruleOf = (attention: { code: AttentionCode } | undefined): AttentionRule | undefined =>
  attention && ATTENTION[attention.code];

export interface Attention {
  /** Answers name it, so that none is taken for the answer to another question. */
  id: string;
  code: AttentionCode;
  message: string;
  /** RFC 3339. */
  since: string;
}
