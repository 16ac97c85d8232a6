import type { IssuedReplies } from './issued-replies';
import { findModel } from './models';
import type { ClaudeModel } from './models';
import type { Refusal } from './refusal';
import { countRequest, messagesRequest } from './request';
import type { ClaudeRequest } from './request';
import * as messages from './rules/messages';
import { checkShape, refuseBetaFields, refuseSampling } from './rules/raw-body';
import type { RawBody } from './rules/raw-body';
import type { Rule } from './rules/rule';
import * as thinking from './rules/thinking';
import * as toolResults from './rules/tool-results';
import * as tools from './rules/tools';

/** In the order in which they are asked: what a later one takes for granted, an earlier one has checked. */
export const RULES: readonly Rule[] = [
  messages.maxTokensWithinModel,
  messages.someMessages,
  messages.firstIsUser,
  messages.noEmptyContent,
  messages.noEmptyText,
  messages.lastIsUser,
  messages.blocksFitRole,
  messages.noCitationsOnUserText,
  tools.toolNamesUnique,
  tools.strictSchemasClosed,
  tools.strictSchemasSmall,
  tools.toolChoicePossible,
  tools.toolsDeclaredForHistory,
  tools.outputSchemaClosed,
  tools.noFormatWithCitations,
  tools.breakpointsFew,
  toolResults.toolUseIdsUnique,
  toolResults.resultsComeFirst,
  toolResults.everyToolUseAnswered,
  toolResults.oneResultPerToolUse,
  toolResults.everyResultExpected,
  thinking.thinkingConfigPossible,
  thinking.noForcedToolWhileThinking,
  thinking.thinkingUnchanged,
  thinking.thinkingComplete,
];

export interface ValidRequest {
  readonly request: ClaudeRequest;
  readonly model: ClaudeModel;
}

/** A body of POST /v1/messages or /v1/messages/count_tokens, or the first rule it breaks. */
export function validate(
  endpoint: 'messages' | 'count_tokens',
  body: RawBody,
  context: { readonly betas: readonly string[]; readonly issued: IssuedReplies },
): ValidRequest | { readonly refusal: Refusal } {
  const refusedRaw = refuseSampling(body) ?? refuseBetaFields(body, context.betas);
  if (refusedRaw) return { refusal: refusedRaw };
  const shaped = checkShape(endpoint === 'messages' ? messagesRequest : countRequest, body);
  if ('refusal' in shaped) return shaped;
  const request: ClaudeRequest = shaped.request;
  const model = findModel(request.model);
  if (!model)
    return { refusal: { status: 404, type: 'not_found_error', message: `model: ${request.model}` } };
  for (const rule of RULES) {
    const refusal = rule(request, { model, issued: context.issued });
    if (refusal) return { refusal };
  }
  return { request, model };
}
