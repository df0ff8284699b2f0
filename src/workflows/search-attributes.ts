import { defineSearchAttributeKey } from '@temporalio/common';

/** What lists of onboards are made from: registered by the worker, published by `publish.ts`. */
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
export type AttributeName = keyof typeof SEARCH_ATTRIBUTES;

const SDK_TYPES = { Keyword: 'KEYWORD', Datetime: 'DATETIME', KeywordList: 'KEYWORD_LIST' } as const;
type SdkType<Name extends AttributeName> = (typeof SDK_TYPES)[(typeof SEARCH_ATTRIBUTES)[Name]];
type AttributeKeys = { [Name in AttributeName]: ReturnType<typeof defineSearchAttributeKey<SdkType<Name>>> };

/** The same attributes as typed keys of the SDK. */
export const ATTRIBUTE_KEYS = Object.fromEntries(
  Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, defineSearchAttributeKey(name, SDK_TYPES[type])]),
) as AttributeKeys;
