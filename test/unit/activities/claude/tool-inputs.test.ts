import { z } from 'zod';
import { createFingerprint } from '../../../../src/activities/fingerprint';
import { addTicketNote } from '../../../../src/activities/tools/add-ticket-note';
import { createEditFile } from '../../../../src/activities/tools/edit-file';
import { createInspectService } from '../../../../src/activities/tools/inspect-service';
import { createListFiles } from '../../../../src/activities/tools/list-files';
import { createOpenEdit } from '../../../../src/activities/tools/open-edit';
import { createQueryLogs } from '../../../../src/activities/tools/query-logs';
import { createQueryMetrics } from '../../../../src/activities/tools/query-metrics';
import { createReadFile } from '../../../../src/activities/tools/read-file';
import { createRestoreFile } from '../../../../src/activities/tools/restore-file';
import { createRunCommand } from '../../../../src/activities/tools/run-command';
import { createSearchCode } from '../../../../src/activities/tools/search-code';
import { createServiceControl } from '../../../../src/activities/tools/service-control';
import type { Tool } from '../../../../src/activities/tools/tool';
import { createUndoEdits } from '../../../../src/activities/tools/undo-edits';
import { createUpdateTicketStatus } from '../../../../src/activities/tools/update-ticket-status';
import { createWhatChanged } from '../../../../src/activities/tools/what-changed';
import type { ToolName } from '../../../../src/domain/tool';
import { TOOL_SCHEMAS } from '../../../../src/domain/tool-schemas';
import { makeDeps, makeTempDirs } from '../../../support/tool-deps';

const makeTempDir = makeTempDirs();

function makeTools(): Readonly<Record<ToolName, Tool>> {
  const deps = makeDeps(makeTempDir());
  const openEdit = createOpenEdit(deps);
  return {
    inspect_service: createInspectService(deps),
    what_changed: createWhatChanged(deps),
    read_file: createReadFile(new Map()),
    list_files: createListFiles(new Map()),
    search_code: createSearchCode(new Map()),
    query_logs: createQueryLogs(deps),
    query_metrics: createQueryMetrics(deps),
    run_command: createRunCommand(deps),
    service_control: createServiceControl(deps),
    edit_file: createEditFile(openEdit),
    restore_file: createRestoreFile(deps, openEdit),
    undo_edits: createUndoEdits(deps, openEdit),
    add_ticket_note: addTicketNote,
    update_ticket_status: createUpdateTicketStatus(deps, createFingerprint(deps.services, deps.lookAtPorts)),
  };
}

const SEEN = { pid: 42, started_at: '2026-01-01T00:00:00.000Z' };

/** Inputs that both sides take, and inputs that both refuse. Bounds on values are the parser's alone. */
const EXAMPLES: Readonly<
  Record<ToolName, { readonly good: readonly object[]; readonly bad: readonly object[] }>
> = {
  inspect_service: {
    good: [{ service: 'a' }, { service: 'a', wait_s: 2.5 }],
    bad: [{}, { service: 1 }, { service: 'a', wait_s: '2' }, { service: 'a', wait: 2 }],
  },
  what_changed: { good: [{ service: 'a' }], bad: [{}, { service: null }, { service: 'a', since: 'x' }] },
  read_file: {
    good: [{ path: 'a' }, { path: 'a', offset: 2 }, { path: 'a', offset: 2, limit: 5 }],
    bad: [{}, { path: 'a', offset: 1.5 }, { path: 'a', limit: '5' }, { path: ['a'] }],
  },
  list_files: {
    good: [{}, { path: 'src' }, { pattern: '*.ts' }, { path: 'src', pattern: '**/*.ts' }],
    bad: [{ path: 1 }, { pattern: null }, { glob: '*' }],
  },
  search_code: {
    good: [{ text: 'x' }, { text: 'x', path: 'src' }],
    bad: [{}, { path: 'src' }, { text: 'x', regex: true }],
  },
  query_logs: {
    good: [{}, { service: 'a', contains: 'x', since: '10m', limit: 5 }],
    bad: [{ limit: 1.5 }, { since: 10 }, { contains: null }, { level: 'error' }],
  },
  query_metrics: { good: [{}, { name_contains: 'x' }], bad: [{ name_contains: 1 }, { name: 'x' }] },
  run_command: {
    good: [{ argv: ['ps', 'aux'] }],
    bad: [{}, { argv: 'ps aux' }, { argv: ['ps', 1] }, { argv: ['ps'], cwd: '/' }],
  },
  service_control: {
    good: [
      { service: 'a', action: 'status' },
      { service: 'a', action: 'restart', expect: 'exited' },
      { service: 'a', action: 'stop', expect: SEEN },
    ],
    bad: [
      { service: 'a' },
      { service: 'a', action: 'reload' },
      { service: 'a', action: 'restart', expect: 'running' },
      { service: 'a', action: 'restart', expect: { pid: 42 } },
      { service: 'a', action: 'restart', expect: { ...SEEN, pid: '42' } },
      { service: 'a', action: 'restart', expect: { ...SEEN, more: 1 } },
      { service: 'a', action: 'restart', expect: null },
    ],
  },
  edit_file: {
    good: [
      { path: 'a', old: 'x', new: 'y' },
      { path: 'a', old: 'x', new: '' },
    ],
    bad: [
      { path: 'a', old: 'x' },
      { path: 'a', new: 'y' },
      { path: 'a', old: 'x', new: 'y', all: true },
    ],
  },
  restore_file: {
    good: [{ path: 'a' }, { path: 'a', expect: 'absent' }, { path: 'a', expect: 'f'.repeat(64) }],
    bad: [{}, { path: 'a', expect: null }, { path: 'a', expect: 1 }],
  },
  undo_edits: { good: [{}], bad: [{ path: 'a' }] },
  add_ticket_note: { good: [{ text: 'x' }], bad: [{}, { text: 1 }, { text: 'x', to: 'all' }] },
  update_ticket_status: {
    good: [
      { status: 'completed', reason: 'x' },
      { status: 'blocked', reason: 'x', report: 'y' },
    ],
    bad: [
      { status: 'completed' },
      { status: 'failed', reason: 'x' },
      { status: 'blocked', reason: 'x', report: 1 },
    ],
  },
};

describe('what a model is told of a tool, and what the tool takes', () => {
  const tools = makeTools();
  const cases = TOOL_SCHEMAS.map(({ name, inputSchema }) => {
    const told = z.fromJSONSchema(JSON.parse(JSON.stringify(inputSchema)) as z.core.JSONSchema.JSONSchema);
    return { name, inputSchema, told };
  });

  it.each(cases)('$name: both take the good examples and refuse the bad ones', ({ name, told }) => {
    for (const input of EXAMPLES[name].good) {
      expect([input, told.safeParse(input).success, tools[name].input.safeParse(input).success]).toEqual([
        input,
        true,
        true,
      ]);
    }
    for (const input of EXAMPLES[name].bad) {
      expect([input, told.safeParse(input).success, tools[name].input.safeParse(input).success]).toEqual([
        input,
        false,
        false,
      ]);
    }
  });

  it.each(cases)(
    '$name: the same members, the same of them required, the same types',
    ({ name, inputSchema }) => {
      const own = z.toJSONSchema(tools[name].input, { io: 'input' });
      expect(own).toMatchObject({ type: 'object', additionalProperties: false });
      expect([...(own.required ?? [])].sort()).toEqual([...inputSchema.required].sort());
      const types = (properties: object) =>
        Object.fromEntries(
          Object.entries(properties).map(([key, member]: [string, { type?: string }]) => [key, member.type]),
        );
      // A literal beside a pattern: one string to the model.
      const expected = {
        ...types(own.properties ?? {}),
        ...(name === 'restore_file' ? { expect: 'string' } : {}),
      };
      expect(types(inputSchema.properties)).toEqual(expected);
    },
  );

  it.each(cases)('$name: the examples use every member', ({ name, inputSchema }) => {
    const used = new Set(EXAMPLES[name].good.flatMap((input) => Object.keys(input)));
    expect([...used].sort()).toEqual(Object.keys(inputSchema.properties).sort());
  });
});
