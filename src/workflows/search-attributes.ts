import { defineSearchAttributeKey } from '@temporalio/common';

/** Typed keys of the search attributes in `contract.ts` (`SEARCH_ATTRIBUTES`). */
export const ticketKeys = {
  ticketId: defineSearchAttributeKey('TicketId', 'KEYWORD'),
  status: defineSearchAttributeKey('TicketStatus', 'KEYWORD'),
  phase: defineSearchAttributeKey('TicketPhase', 'KEYWORD'),
  resolution: defineSearchAttributeKey('TicketResolution', 'KEYWORD'),
  priority: defineSearchAttributeKey('TicketPriority', 'KEYWORD'),
  invariantId: defineSearchAttributeKey('InvariantId', 'KEYWORD'),
  service: defineSearchAttributeKey('ServiceName', 'KEYWORD'),
  brain: defineSearchAttributeKey('Brain', 'KEYWORD'),
  costUsd: defineSearchAttributeKey('CostUsd', 'DOUBLE'),
  detectedAt: defineSearchAttributeKey('DetectedAt', 'DATETIME'),
} as const;
