import type { IssuedReplies } from '../issued-replies';
import type { ClaudeModel } from '../models';
import type { Refusal } from '../refusal';
import type { ClaudeRequest } from '../request';

export interface RuleContext {
  readonly model: ClaudeModel;
  /** What the server itself has said before. */
  readonly issued: IssuedReplies;
}

/** One thing the API demands of a request; null when it is content. */
export type Rule = (request: ClaudeRequest, context: RuleContext) => Refusal | null;
