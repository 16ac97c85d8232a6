import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beginWith, ClaudeBench, expectFixedBy, KEY } from '../support/claude-bench';
import type { Outcome } from '../support/claude-bench';
import { FAULTS } from '../support/claude-server/faults';
import { buildUnmasked } from '../support/unmasked-build';

jest.setTimeout(150_000);

const SERVICE = 'patient';
/** Each where it should be, and nowhere else. */
const SECRETS = {
  key: KEY,
  'environment of the service': 'canary-environment-5b1e',
  'variable that the service gets': 'canary-variable-c0de',
  'line of its log': 'canary-log-91cd',
  'file it reads': 'canary-file-70aa',
  'header of a check': 'canary-header-e2f4',
};
/** The same places, under names that nobody takes for a secret: what the search must find. */
const PLAIN = { 'line of its log': 'plainlog4d11', 'file it reads': 'plainfile83be' };

/** A harness in which every secret is where it should be, and one ticket of it. `cliFile`: the product, or a copy of it. */
async function seen(cliFile?: string): Promise<{ readonly bench: ClaudeBench; readonly outcome: Outcome }> {
  const bench = await ClaudeBench.create(SERVICE, {
    start: false,
    change: (config) => {
      const service = config['services'][SERVICE];
      service.files = { read: ['${data_dir}/settings.json'] };
      service.env.DB_PASSWORD = SECRETS['environment of the service'];
      service.env.FIRST_WORDS =
        `colour=${PLAIN['line of its log']} password=${SECRETS['line of its log']} ` +
        `key ${SECRETS.key} sent ${SECRETS['header of a check']} ` +
        `as ${SECRETS['environment of the service']} to \${env:SHOP_LOGIN}`;
      config['invariants'][0].request = { headers: { 'x-check': '${env:CHECK_HEADER}' } };
    },
  });
  const { workspace } = bench.faulty;
  if (cliFile !== undefined) workspace.cliFile = cliFile;
  workspace.env['SHOP_LOGIN'] = SECRETS['variable that the service gets'];
  workspace.env['CHECK_HEADER'] = SECRETS['header of a check'];
  const file = join(workspace.dataDir, 'settings.json');
  mkdirSync(workspace.dataDir, { recursive: true });
  const settings = { colour: PLAIN['file it reads'], api_token: SECRETS['file it reads'] };
  writeFileSync(file, JSON.stringify(settings));
  await bench.run();
  const calls = [
    { name: 'read_file', input: { path: file } },
    { name: 'query_logs', input: {} },
  ];
  const odd = FAULTS.http(500, 'api_error', `Something is odd with ${KEY}`);
  return { bench, outcome: await bench.fail({ say: beginWith({ calls }), faults: { 2: odd } }) };
}

let bench: ClaudeBench;
let outcome: Outcome;

/** What was written or sent, by where; bytes as they are, so that it is found inside any encoding of text. */
const PLACES: Readonly<Record<string, () => Promise<Buffer> | Buffer>> = {
  'history of all workflows': () =>
    bench.withTemporal(async ({ client }) => {
      const parts: Buffer[] = [];
      for await (const { workflowId, runId } of client.workflow.list()) {
        parts.push(...bytesIn(await client.workflow.getHandle(workflowId, runId).fetchHistory()));
      }
      return Buffer.concat(parts);
    }),
  'answers of the API': async () => {
    const { workspace } = bench.faulty;
    const id = String(outcome.ticket['id']);
    const paths = [
      ...['/tickets', `/tickets/${id}`, `/tickets/${id}/trajectory`, '/services', '/invariants', '/stats'],
      ...[`/invariants/${SERVICE}_healthy`, `/services/${SERVICE}`],
    ];
    const answers = await Promise.all(paths.map((path) => workspace.api('GET', path)));
    return Buffer.from(JSON.stringify(answers));
  },
  archive: () => filesBelow('archive'),
  spend: () => filesBelow('spend'),
  audit: () => readFileSync(join(bench.faulty.workspace.dataDir, 'audit.ndjson')),
  // What the service itself writes is kept as it wrote it.
  'logs of the harness': () => filesBelow('logs', (name) => !name.includes(SERVICE)),
  'output of harness run': () =>
    Buffer.from(
      bench.faulty.workspace.output
        .split('\n')
        .filter((line) => !line.includes(`[${SERVICE}]`))
        .join('\n'),
    ),
  'requests to the model': () => {
    const requests = bench.model.requests.map(({ path, headers, body }) => {
      expect(headers.authorization).toBe(`Bearer ${KEY}`);
      return { path, body, headers: { ...headers, authorization: null } };
    });
    return Buffer.from(JSON.stringify(requests));
  },
};

describe('as it is', () => {
  beforeAll(async () => {
    ({ bench, outcome } = await seen());
  });
  afterAll(() => bench.dispose());

  it('the ticket is one in which Claude saw log and file, and the API was odd once', () => {
    expect(bench.model.problems).toEqual([]);
    expectFixedBy('claude', outcome);
    expect(outcome.requests.length).toBe(5);
  });

  describe.each(Object.keys(PLACES))('%s', (name) => {
    let place: Buffer;
    beforeAll(async () => {
      place = (await PLACES[name]?.()) ?? Buffer.alloc(0);
    });

    it.each(Object.entries(SECRETS))('no %s', (_what, secret) => {
      expect(place.includes(secret)).toBe(false);
    });

    it('is not empty', () => {
      expect(place.length).toBeGreaterThan(100);
    });
  });

  it.each(['history of all workflows', 'answers of the API', 'archive', 'requests to the model'])(
    '%s: what stood beside the secrets is found by the same search',
    async (name) => {
      const place = (await PLACES[name]?.()) ?? Buffer.alloc(0);
      for (const text of Object.values(PLAIN)) expect(place.includes(text)).toBe(true);
      expect(place.includes('[redacted:')).toBe(true);
    },
  );

  it.each(['history of all workflows', 'output of harness run'])(
    '%s: what the odd API said is found, without the key that it repeated',
    async (name) => {
      const place = (await PLACES[name]?.()) ?? Buffer.alloc(0);
      expect(place.includes('Something is odd with [redacted:')).toBe(true);
    },
  );
});

describe('with masking switched off', () => {
  let build: ReturnType<typeof buildUnmasked>;
  beforeAll(async () => {
    build = buildUnmasked();
    ({ bench, outcome } = await seen(build.cli));
  });
  afterAll(async () => {
    await bench.dispose();
    build.remove();
  });

  describe.each(['history of all workflows', 'answers of the API', 'archive', 'requests to the model'])(
    '%s',
    (name) => {
      it.each(Object.entries(SECRETS))('the same search finds the %s', async (_what, secret) => {
        expect((await PLACES[name]?.())?.includes(secret)).toBe(true);
      });
    },
  );
});

function filesBelow(folder: string, isWanted: (name: string) => boolean = () => true): Buffer {
  const root = join(bench.faulty.workspace.dataDir, folder);
  const names = readdirSync(root, { recursive: true }).map(String);
  const files = names.filter((name) => isWanted(name) && statSync(join(root, name)).isFile());
  return Buffer.concat(files.map((name) => readFileSync(join(root, name))));
}

/** Every text and every byte array in it, at any depth. */
function bytesIn(value: unknown): Buffer[] {
  if (value instanceof Uint8Array) return [Buffer.from(value)];
  if (typeof value === 'string') return [Buffer.from(value)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [Buffer.from(key), ...bytesIn(item)]);
}
