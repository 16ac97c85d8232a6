import { readFileSync, statSync } from 'node:fs';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createToolActivities } from '../../../../src/activities/tools';
import type { ToolDeps } from '../../../../src/activities/tools/tool';
import { defineTool, toActivity } from '../../../../src/activities/tools/tool';
import { paths } from '../../../../src/config/paths';
import type { ToolResult } from '../../../../src/domain/tool';
import { TOOLS } from '../../../../src/domain/tool';
import { z } from 'zod';
import { callTool, makeControl, makeDeps, makeTempDirs, TICKET } from '../../../support/tool-deps';

const makeTempDir = makeTempDirs();
const readAudit = (deps: ToolDeps) =>
  readFileSync(paths.audit(deps.dataDir), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('createToolActivities', () => {
  it('has an activity for every tool', () => {
    expect(Object.keys(createToolActivities(makeDeps(makeTempDir()))).sort()).toEqual([...TOOLS].sort());
  });

  it('an activity refuses a call that names another tool', async () => {
    const deps = makeDeps(makeTempDir());
    const call = { id: 'c', name: 'add_ticket_note', input: { text: 'x' } };
    const activities = createToolActivities(deps);
    const run = (name: 'service_control' | 'add_ticket_note') =>
      new MockActivityEnvironment().run(activities[name], { ticket: TICKET, call });
    expect(await run('service_control')).toMatchObject({ isError: true });
    expect(await run('add_ticket_note')).toMatchObject({ isError: false });
  });

  it('records every execution with digest, duration and size', async () => {
    const deps = makeDeps(makeTempDir());
    await callTool(deps, 'run_command', { argv: ['cat', '/proc/meminfo'] });
    await callTool(deps, 'run_command', { argv: ['cat', '/etc/shadow'] });
    expect(readAudit(deps)).toMatchObject([
      {
        kind: 'execution',
        ticket: 'T1',
        tool: 'run_command',
        argv: ['cat', '/proc/meminfo'],
        ended: 'returned',
        is_error: false,
        exit_code: 0,
      },
      { argv: ['cat', '/etc/shadow'], is_error: true, exit_code: null },
    ]);
    expect(statSync(paths.audit(deps.dataDir)).mode & 0o777).toBe(0o600);
  });

  it('an audit log that cannot be written does not make done work look undone', async () => {
    const deps = makeDeps(makeTempDir(), {
      audit: {
        decision: () => Promise.reject(new Error('disk full')),
        execution: () => Promise.reject(new Error('disk full')),
      },
    });
    expect(await callTool(deps, 'add_ticket_note', { text: 'x' })).toMatchObject({ isError: false });
  });
});

describe('toActivity', () => {
  const blocking = (deps: ToolDeps, onAbort: () => void) =>
    toActivity(
      defineTool('list_files', z.object({}), async (_input, { signal }) => {
        await new Promise<void>((_resolve, reject) =>
          signal.addEventListener('abort', () => {
            onAbort();
            reject(new Error('stopped in the middle'));
          }),
        );
        return { content: 'never' };
      }),
      deps,
    );
  const input = { ticket: TICKET, call: { id: 'c', name: 'list_files', input: {} } };

  it('heartbeats while it blocks; a cancel reaches the tool, is thrown as cancellation, and is recorded', async () => {
    const deps = makeDeps(makeTempDir());
    const environment = new MockActivityEnvironment();
    let aborted = 0;
    environment.once('heartbeat', () => environment.cancel('CANCELLED'));
    await expect(
      environment.run(
        blocking(deps, () => (aborted += 1)),
        input,
      ),
    ).rejects.toBeInstanceOf(CancelledFailure);
    expect(aborted).toBe(1);
    expect(readAudit(deps)).toMatchObject([{ ended: 'cancelled', output_sha256: null }]);
  });

  it('an unexpected error becomes a masked result, not a throw', async () => {
    const failing = toActivity(
      defineTool('list_files', z.object({}), () => Promise.reject(new Error('EIO token=swordfish-0001'))),
      makeDeps(makeTempDir()),
    );
    const result: ToolResult = await new MockActivityEnvironment().run(failing, input);
    expect(result.isError).toBe(true);
    expect(result.content).toContain('EIO token=[redacted:');
  });

  it.each([
    ['query_logs', { limit: 'many' }],
    ['add_ticket_note', { text: '   ' }],
    ['add_ticket_note', { text: 'x'.repeat(2_001) }],
    ['update_ticket_status', { status: 'failed', reason: 'x' }],
    ['update_ticket_status', { status: 'completed' }],
    ['read_file', {}],
    ['search_code', { text: '' }],
  ] as const)('%s %j: bad input is data that shows what was wrong', async (tool, bad) => {
    const result = await callTool(makeDeps(makeTempDir()), tool, bad);
    expect(result).toMatchObject({ isError: true, data: { outcome: 'refused' } });
    expect(result.content).toContain('Correct it and call again');
  });
});

describe('the ticket tools', () => {
  it('a note comes back normalised and masked', async () => {
    const result = await callTool(makeDeps(makeTempDir()), 'add_ticket_note', {
      text: '  saw swordfish-0001\u200b ',
    });
    expect(result.data).toEqual({ text: 'saw [redacted:TEST_SECRET]' });
  });

  it('a proposed status says that it is verified by somebody else', async () => {
    const result = await callTool(makeDeps(makeTempDir()), 'update_ticket_status', {
      status: 'completed',
      reason: 'restarted',
    });
    expect(result.data).toEqual({
      status: 'completed',
      reason: 'restarted',
      report: null,
      fingerprint: null,
    });
    expect(result.content).toContain('independent check');
  });

  it('handing over says how the service was left, without a supervisor of its files alone', async () => {
    const blocked = { status: 'blocked', reason: 'cannot', report: 'facts' };
    const known = await callTool(makeDeps(makeTempDir()), 'update_ticket_status', blocked);
    expect(known.data).toMatchObject({ fingerprint: expect.stringMatching(/^[0-9a-f]{16}\.[0-9a-f]{16}$/) });
    const control = makeControl({ statuses: [new Error('no supervisor')] });
    const blind = await callTool(makeDeps(makeTempDir(), { control }), 'update_ticket_status', blocked);
    expect(blind).toMatchObject({
      isError: false,
      data: { status: 'blocked', fingerprint: expect.stringMatching(/^[0-9a-f]{16}\.$/) },
    });
  });
});
