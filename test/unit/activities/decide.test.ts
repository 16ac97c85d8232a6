import { mkdirSync, readFileSync, rmdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { createAuditLog } from '../../../src/activities/audit';
import { createDecideActivity } from '../../../src/activities/decide';
import type { Pause } from '../../../src/domain/pause';
import { createRedactor } from '../../../src/domain/redaction';
import { makeService, makeTempDirs, NOW, TICKET } from '../../support/tool-deps';

const makeTempDir = makeTempDirs();
const redact = createRedactor({ secrets: [{ name: 'KEY', value: 'swordfish-0001' }] });

function makeDecide(file: string, pause: Pause | null = null) {
  const audit = createAuditLog({ file, redact, now: () => NOW });
  return createDecideActivity({
    services: [makeService('/srv')],
    audit,
    pauseOf: () => Promise.resolve(pause),
  });
}
const call = (name: string, input = {}) => ({ ticket: TICKET, call: { id: 'c1', name, input } });

describe('decide', () => {
  it('records the decision, argv masked, before it answers', async () => {
    const file = join(makeTempDir(), 'deep', 'audit.ndjson');
    const decision = await makeDecide(file)(call('run_command', { argv: ['echo', 'swordfish-0001'] }));
    expect(decision.verdict).toBe('deny');
    const line = JSON.parse(readFileSync(file, 'utf8')) as object;
    expect(line).toEqual({
      at: NOW.toISOString(),
      kind: 'decision',
      ticket: 'T1',
      invariant: 'limiter_healthy',
      call: 'c1',
      tool: 'run_command',
      input_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      argv: ['echo', '[redacted:KEY]'],
      rule: 'command-not-allowed',
      verdict: 'deny',
      reason: expect.stringContaining('Allowed:') as string,
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('many at once: every line whole, in the order of the calls, after what was there', async () => {
    const file = join(makeTempDir(), 'audit.ndjson');
    writeFileSync(file, '{"earlier":true}\n');
    const decide = makeDecide(file);
    await Promise.all(Array.from({ length: 50 }, (_item, index) => decide(call(`tool-${index}`))));
    const lines = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { tool?: string });
    expect(lines.map(({ tool }) => tool)).toEqual([
      undefined,
      ...Array.from({ length: 50 }, (_item, index) => `tool-${index}`),
    ]);
  });

  it('no record, no decision: fails as Storage, and works again when the log can be written', async () => {
    const root = makeTempDir();
    const file = join(root, 'audit.ndjson');
    mkdirSync(file);
    const decide = makeDecide(file);
    const failure = await decide(call('add_ticket_note')).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type: 'Storage' });
    rmdirSync(file);
    expect((await decide(call('add_ticket_note'))).verdict).toBe('allow');
  });

  it('a log that was replaced by a link is not written through', async () => {
    const root = makeTempDir();
    writeFileSync(join(root, 'victim'), 'untouched');
    symlinkSync(join(root, 'victim'), join(root, 'audit.ndjson'));
    await expect(makeDecide(join(root, 'audit.ndjson'))(call('add_ticket_note'))).rejects.toThrow(
      'audit log',
    );
    expect(readFileSync(join(root, 'victim'), 'utf8')).toBe('untouched');
  });

  it('what is paused is refused, and that is on record', async () => {
    const file = join(makeTempDir(), 'audit.ndjson');
    const pause: Pause = { target: { kind: 'all' }, by: 'ana', at: '09:00', until: null };
    const restart = call('service_control', { service: 'limiter', action: 'restart', expect: 'exited' });
    expect(await makeDecide(file, pause)(restart)).toMatchObject({ verdict: 'deny', rule: 'paused' });
    expect(await makeDecide(file)(restart)).toMatchObject({ verdict: 'allow' });
    expect(readFileSync(file, 'utf8')).toMatch(/"rule":"paused"/);
    expect(await makeDecide(file, pause)(call('inspect_service', { service: 'limiter' }))).toMatchObject({
      verdict: 'allow',
    });
  });
});
