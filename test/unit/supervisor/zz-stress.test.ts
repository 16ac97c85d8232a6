import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockDataDir } from '../../../src/supervisor/data-dir-lock';
it('stress', async () => {
  const bad: string[] = [];
  for (let i = 0; i < 80; i++) {
    const dataDir = mkdtempSync(join(tmpdir(), 'harness-lockz-'));
    mkdirSync(join(dataDir, 'run'));
    writeFileSync(join(dataDir, 'run', 'lock-a.json'), JSON.stringify({ pid: 2 ** 30, identity: 'x' }));
    const tries = await Promise.allSettled(Array.from({ length: 10 }, () => lockDataDir(dataDir)));
    const n = tries.filter((one) => one.status === 'fulfilled').length;
    const files = readdirSync(join(dataDir, 'run'));
    const errs = [...new Set(tries.flatMap((t) => (t.status === 'rejected' ? [String(t.reason).slice(0, 60)] : [])))];
    if (n !== 1 || files.length !== 1) bad.push(`${i}: ${n} ${files} ${errs.join('|')}`);
    rmSync(dataDir, { recursive: true });
  }
  console.log(bad.length, bad.slice(0, 10));
}, 120000);
