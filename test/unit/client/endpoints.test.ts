import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Endpoints } from '../../../src/client/endpoints';
import { readEndpoints, removeEndpoints, writeEndpoints } from '../../../src/client/endpoints';
import { paths } from '../../../src/config/paths';

let dataDir: string;
beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'harness-endpoints-'))));
afterEach(() => rmSync(dataDir, { recursive: true }));

const endpoints: Endpoints = {
  runId: 'r1',
  supervisorPid: 42,
  startedAt: '2026-01-02T03:04:05.678Z',
  temporalAddress: '127.0.0.1:7233',
  temporalNamespace: 'default',
  temporalUiUrl: null,
  webUrl: 'http://127.0.0.1:8000',
  controlSocket: '/tmp/control.sock',
  monitorUrl: 'http://127.0.0.1:9',
};

it('what is written is read back; snake_case, for the owner only, nothing beside it', async () => {
  await writeEndpoints(dataDir, endpoints);
  await writeEndpoints(dataDir, { ...endpoints, supervisorPid: 43 });
  expect(await readEndpoints(dataDir)).toEqual({ ...endpoints, supervisorPid: 43 });
  const file = paths.endpoints(dataDir);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
    temporal_address: '127.0.0.1:7233',
    temporal_ui_url: null,
  });
  expect(readdirSync(dirname(file))).toEqual(['endpoints.json']);
});

it('no file, or removed (twice): null', async () => {
  expect(await readEndpoints(dataDir)).toBeNull();
  await writeEndpoints(dataDir, endpoints);
  await removeEndpoints(dataDir);
  await removeEndpoints(dataDir);
  expect(await readEndpoints(dataDir)).toBeNull();
});

it.each(['', 'garbage', '[]', '{"run_id":"x"}', '{"supervisor_pid":"42"}'])(
  '%j: an error that names the file and the way out',
  async (text) => {
    mkdirSync(dirname(paths.endpoints(dataDir)), { recursive: true });
    writeFileSync(paths.endpoints(dataDir), text);
    await expect(readEndpoints(dataDir)).rejects.toThrow(
      /endpoints\.json is not what "harness run" writes .*Delete it/,
    );
  },
);
