import type { CommandRule } from './command-rules';
import { decideCommand } from './command-rules';
import type { Json } from './json';
import type { Pause } from './pause';
import { PAUSED_RULE } from './pause';
import { SERVICE_ACTIONS } from './service-state';
import type { Decision, ToolCall } from './tool';
import { isToolName, TOOLS } from './tool';

/** What policy needs to know of a configured service. */
export interface PolicyService {
  readonly name: string;
  /** Null: the harness does not run it. */
  readonly command: readonly string[] | null;
  readonly files: { readonly edit: readonly string[] };
  readonly dependsOn: readonly string[];
}

export interface PolicyContext {
  readonly ticketService: string | null;
  readonly services: readonly PolicyService[];
  readonly commandRules: readonly CommandRule[];
  /** A person wants it left alone: nothing acts on it until then. */
  readonly pause: Pause | null;
}

/**
 * May this call run for this ticket? Pure and closed by default: what no rule allows is denied, and a denial says what is
 * allowed instead. Targets come from the configuration, never from text.
 */
export function decideCall(call: ToolCall, context: PolicyContext): Decision {
  if (!isToolName(call.name)) {
    return deny('unknown-tool', `there is no tool ${quote(call.name)}. Tools: ${TOOLS.join(', ')}`);
  }
  switch (call.name) {
    case 'inspect_service':
    case 'what_changed':
      return decideTarget(call.input['service'], context);
    case 'query_logs':
      return decideTarget(call.input['service'] ?? context.ticketService, context);
    case 'read_file':
    case 'list_files':
    case 'search_code':
    case 'query_metrics':
      return decideTarget(context.ticketService, context);
    case 'run_command':
      return decideArgv(call.input['argv'], context.commandRules);
    case 'service_control':
      return decideControl(call, context);
    case 'edit_file':
    case 'restore_file':
    case 'undo_edits':
      return decideEdit(call.name, context);
    case 'add_ticket_note':
    case 'update_ticket_status':
      return { verdict: 'allow', rule: 'own-ticket', reason: 'changes only this ticket' };
  }
}

/** The ticket's own service and its configured neighbours: those it depends on and those that depend on it. */
export function visibleServices(context: Pick<PolicyContext, 'ticketService' | 'services'>): string[] {
  const own = context.services.find((service) => service.name === context.ticketService);
  if (!own) return [];
  const dependants = context.services.filter((service) => service.dependsOn.includes(own.name));
  const configured = own.dependsOn.filter((name) =>
    context.services.some((service) => service.name === name),
  );
  return [...new Set([own.name, ...configured, ...dependants.map((service) => service.name)])];
}

function decideTarget(target: Json | undefined, context: PolicyContext): Decision {
  const visible = visibleServices(context);
  if (visible.length === 0) return noService(context);
  if (typeof target === 'string' && visible.includes(target)) {
    return { verdict: 'allow', rule: 'read-own-service', reason: `reads about ${target}` };
  }
  return deny(
    'other-service',
    `this ticket may look at ${visible.map(quote).join(', ')} only, not at ${quote(target ?? null)}`,
  );
}

function decideControl(call: ToolCall, context: PolicyContext): Decision {
  const { service, action, expect } = call.input;
  if (action === 'status') return decideTarget(service, context);
  if (typeof action !== 'string' || !(SERVICE_ACTIONS as readonly string[]).includes(action)) {
    return deny(
      'unknown-action',
      `there is no action ${quote(action ?? null)}. Actions: status, ${SERVICE_ACTIONS.join(', ')}`,
    );
  }
  const own = context.services.find((candidate) => candidate.name === context.ticketService);
  if (!own) return noService(context);
  if (context.pause) return paused(context.pause);
  if (service !== own.name) {
    return deny(
      'other-service',
      `this ticket may act on ${quote(own.name)} only, not on ${quote(service ?? null)}; if the cause lies elsewhere, ` +
        'ask a person with update_ticket_status {"status":"blocked"}',
    );
  }
  if (own.command === null) {
    return deny(
      'not-controllable',
      `the harness does not run ${quote(own.name)} and has no command for it: ask a person with ` +
        'update_ticket_status {"status":"blocked"}, and say in the report what should be done',
    );
  }
  if (expect === undefined || expect === null) {
    return deny(
      'acting-needs-expect',
      `${action} needs "expect", so that it acts only on what you saw: call inspect_service first, then pass ` +
        '"expect": "exited" or "expect": {"pid": …, "started_at": "…"} from its answer',
    );
  }
  return { verdict: 'allow', rule: 'control-own-service', reason: `${action} of the ticket's own service` };
}

/** Which of the service's files a path names is seen on disk only, by the tool. */
function decideEdit(tool: string, context: PolicyContext): Decision {
  const own = context.services.find((candidate) => candidate.name === context.ticketService);
  if (!own) return noService(context);
  if (context.pause) return paused(context.pause);
  if (own.files.edit.length === 0) {
    return deny(
      'nothing-editable',
      `${quote(own.name)} declares no files that may be edited: ask a person with update_ticket_status ` +
        '{"status":"blocked"}, and say in the report what should be changed',
    );
  }
  return {
    verdict: 'allow',
    rule: 'edit-own-files',
    reason: `${tool} in the files of the ticket's own service`,
  };
}

function decideArgv(argv: Json | undefined, rules: readonly CommandRule[]): Decision {
  if (!isWords(argv)) {
    return deny(
      'command-malformed',
      'run_command takes "argv": a list of words, for example ["ps", "aux"]; no shell',
    );
  }
  return decideCommand(argv, rules);
}

function isWords(value: Json | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((word) => typeof word === 'string');
}

function paused({ by, at, until }: Pause): Decision {
  const end = until === null ? 'until somebody resumes it' : `until ${until}`;
  return deny(
    PAUSED_RULE,
    `${by} paused it at ${at} ${end}, so nothing acts on it; ask a person with update_ticket_status {"status":"blocked"}`,
  );
}

function noService(context: PolicyContext): Decision {
  const name = context.ticketService;
  return deny(
    'no-service',
    name === null
      ? 'this ticket belongs to no service, so there is nothing to look at or act on: ask a person with ' +
          'update_ticket_status {"status":"blocked"}'
      : `the ticket's service ${quote(name)} is not in this agent's configuration: ask a person`,
  );
}

function deny(rule: string, reason: string): Decision {
  return { verdict: 'deny', rule, reason };
}

function quote(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
