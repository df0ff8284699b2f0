import { defineSearchAttributeKey } from '@temporalio/common';

/** What lists of onboards are made from; registered by the worker, published by the workflow. */
export const SEARCH_ATTRIBUTES = {
  InvitationId: 'Keyword',
  OnboardId: 'Keyword',
  OnboardStatus: 'Keyword',
  OnboardPhase: 'Keyword',
  OnboardAttention: 'Keyword',
  OnboardOrigin: 'Keyword',
  OnboardFlowId: 'Keyword',
  OnboardSince: 'Datetime',
  OnboardLabel: 'Keyword',
  /** Onboards of any invitation that somebody has said to be gone from LeadConduit. */
  OnboardGone: 'KeywordList',
} as const;

const keyword = (name: keyof typeof SEARCH_ATTRIBUTES) => defineSearchAttributeKey(name, 'KEYWORD');

/** The same for the SDK. */
export const KEYS = {
  InvitationId: keyword('InvitationId'),
  OnboardId: keyword('OnboardId'),
  OnboardStatus: keyword('OnboardStatus'),
  OnboardPhase: keyword('OnboardPhase'),
  OnboardAttention: keyword('OnboardAttention'),
  OnboardOrigin: keyword('OnboardOrigin'),
  OnboardFlowId: keyword('OnboardFlowId'),
  OnboardSince: defineSearchAttributeKey('OnboardSince', 'DATETIME'),
  OnboardLabel: keyword('OnboardLabel'),
  OnboardGone: defineSearchAttributeKey('OnboardGone', 'KEYWORD_LIST'),
};
