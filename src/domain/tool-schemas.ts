import { digest } from './digest';
import type { Json } from './json';
import { SERVICE_ACTIONS } from './service-state';
import type { ToolCall, ToolName } from './tool';
import { isActingTool, READ_TOOLS } from './tool';

/** JSON Schema of an object as strict tool use takes it: closed, and without bounds on values. */
interface ObjectSchema {
  readonly type: 'object';
  readonly properties: { readonly [name: string]: Json };
  readonly required: readonly string[];
  readonly additionalProperties: false;
}

/** One of the agent's tools as a model is told of it. */
export interface ToolSchema {
  readonly name: ToolName;
  readonly description: string;
  readonly inputSchema: ObjectSchema;
  /** `ticket`: changes only the ticket. */
  readonly risk: 'read' | 'act' | 'ticket';
}

const SERVICE = { type: 'string', description: 'Name of a service this ticket may look at.' };
const PATH = { type: 'string', description: 'Path of a file, relative to the service or absolute.' };
const DIRECTORY = { type: 'string', description: 'Only below this directory.' };

/**
 * All tools, in an order that never changes: name, order and text are part of the prefix that thinking and cache are bound
 * to. What a schema cannot say (bounds) stands in the descriptions; the tool's own parser holds it.
 */
export const TOOL_SCHEMAS: readonly ToolSchema[] = [
  define(
    'inspect_service',
    'What supervisor, kernel, check and log say about a service right now. Begin here.',
    {
      service: SERVICE,
      wait_s: optional({
        type: 'number',
        description:
          'Looks again for so many seconds (0 to 30) and answers as soon as something has changed.',
      }),
    },
  ),
  define('what_changed', 'How the editable files of a service differ from when it last worked with them.', {
    service: SERVICE,
  }),
  define('read_file', "Reads a text file of the ticket's service.", {
    path: PATH,
    offset: optional({ type: 'integer', description: 'First line, counted from 1.' }),
    limit: optional({ type: 'integer', description: 'Number of lines, 1 to 10000.' }),
  }),
  define('list_files', "Lists the readable files of the ticket's service with their sizes.", {
    path: optional(DIRECTORY),
    pattern: optional({
      type: 'string',
      description: "Glob over the file's name, or over its path when the glob has a slash.",
    }),
  }),
  define(
    'search_code',
    "Finds a fixed string (case counts, no patterns) in the files of the ticket's service.",
    {
      text: { type: 'string', description: '1 to 200 characters.' },
      path: optional(DIRECTORY),
    },
  ),
  define('query_logs', 'The newest stored log lines of a service, oldest first.', {
    service: optional({ type: 'string', description: "Default: the ticket's service." }),
    contains: optional({ type: 'string', description: 'Only lines with this text, 1 to 200 characters.' }),
    since: optional({ type: 'string', description: 'A duration back from now ("10m") or an RFC 3339 time.' }),
    limit: optional({ type: 'integer', description: 'Number of lines, 1 to 500. Default: 100.' }),
  }),
  define('query_metrics', "Samples of the metrics page of the ticket's service.", {
    name_contains: optional({ type: 'string', description: 'Only samples with this text in their line.' }),
  }),
  define(
    'run_command',
    'Runs one allowed program for diagnosis. No shell; a refusal lists what is allowed. It cannot change anything.',
    {
      argv: {
        type: 'array',
        items: { type: 'string' },
        description: 'Program and arguments, 1 to 32 words, for example ["ss", "-ltnp"].',
      },
    },
  ),
  define(
    'service_control',
    "Starts, stops or restarts the ticket's service, but only if it is as you saw it. Inspect it first.",
    {
      service: SERVICE,
      action: { type: 'string', enum: ['status', ...SERVICE_ACTIONS] },
      expect: optional({
        description: 'What you saw; needed for every action but status.',
        anyOf: [
          { type: 'string', enum: ['exited'] },
          {
            type: 'object',
            properties: {
              pid: { type: 'integer', description: 'The process ID that inspect_service showed.' },
              started_at: { type: 'string', description: 'The start time that inspect_service showed.' },
            },
            required: ['pid', 'started_at'],
            additionalProperties: false,
          },
        ],
      }),
    },
  ),
  define(
    'edit_file',
    "Replaces one passage of an editable file of the ticket's service. An undo copy is kept.",
    {
      path: PATH,
      old: { type: 'string', description: 'The passage, exactly as in the file, and only once in it.' },
      new: { type: 'string', description: 'What is to stand there.' },
    },
  ),
  define('restore_file', 'Puts an editable file back as it was when the service last worked with it.', {
    path: PATH,
    expect: optional({
      type: 'string',
      description:
        'SHA-256 (64 hex digits) of what you saw there, or "absent": the file is left alone when it is something else by now.',
    }),
  }),
  define('undo_edits', "Puts this ticket's edits back as found.", {}),
  define('add_ticket_note', 'Puts a note for people on the ticket.', {
    text: { type: 'string', description: '1 to 2000 characters.' },
  }),
  define(
    'update_ticket_status',
    'Proposes that the ticket is done ("completed": an independent check decides) or hands it to a person ("blocked").',
    {
      status: { type: 'string', enum: ['completed', 'blocked'] },
      reason: { type: 'string', description: '1 to 2000 characters.' },
      report: optional({
        type: 'string',
        description: 'For "blocked": facts, what was tried, what to try. At most 8000 characters.',
      }),
    },
  ),
];

/** Whether a call names a tool, and brings what that needs and nothing else. Of what type, the tool's own parser says. */
export function isWellFormed({ name, input }: Pick<ToolCall, 'name' | 'input'>): boolean {
  const schema = TOOL_SCHEMAS.find((known) => known.name === name)?.inputSchema;
  return (
    schema !== undefined &&
    schema.required.every((key) => Object.hasOwn(input, key)) &&
    Object.keys(input).every((key) => Object.hasOwn(schema.properties, key))
  );
}

/** Changes with every change of the tools; a transcript keeps to the version it began with. */
export const TOOL_SCHEMAS_VERSION = digest(JSON.stringify(TOOL_SCHEMAS));

interface Optional {
  readonly optional: { readonly [key: string]: Json };
}
type Property = { readonly [key: string]: Json };

function optional(schema: Property): Optional {
  return { optional: schema };
}

function define(
  name: ToolName,
  description: string,
  members: Readonly<Record<string, Property | Optional>>,
): ToolSchema {
  const properties: Record<string, Property> = {};
  const required: string[] = [];
  for (const [member, schema] of Object.entries(members)) {
    if (isOptional(schema)) properties[member] = schema.optional;
    else {
      properties[member] = schema;
      required.push(member);
    }
  }
  const inputSchema: ObjectSchema = { type: 'object', properties, required, additionalProperties: false };
  return { name, description, inputSchema, risk: riskOf(name) };
}

function isOptional(schema: Property | Optional): schema is Optional {
  return 'optional' in schema;
}

function riskOf(name: ToolName): ToolSchema['risk'] {
  if (isActingTool(name)) return 'act';
  return (READ_TOOLS as readonly string[]).includes(name) ? 'read' : 'ticket';
}
