import type { RegistryEvent, RegistryState } from '../../../src/domain/registry';
import { reduceRegistry } from '../../../src/domain/registry';
import { rejectRegistryEvent } from '../../../src/domain/registry-rejection';
import type { WebDependencies } from '../../../src/web/dependencies';
import { at, registered, T0 } from '../../support/invariants';
import type { TestApi } from './support';
import { dependencies, startApi } from './support';

let api: TestApi;
afterEach(() => api.close());

/** The real reducer instead of its workflow. */
function overRegistry(heard: RegistryEvent[] = []): Partial<WebDependencies> {
  let state: RegistryState = {
    revision: 1,
    invariants: {
      a: registered('a', { service: 'api' }, { state: 'up' }),
      b: registered('b', {}, { state: 'up' }),
    },
  };
  return {
    registry: {
      ...dependencies().registry,
      read: () => Promise.resolve(state),
      change(event) {
        heard.push(event);
        expect(rejectRegistryEvent(state, event)).toBeNull();
        state = reduceRegistry(state, event);
        return Promise.resolve();
      },
    },
    control: {
      ...dependencies().control,
      snapshot: () =>
        Promise.resolve({
          components: [],
          services: [
            {
              name: 'api',
              state: 'running',
              pid: 1,
              startedAt: T0,
              exit: null,
              restarts: 0,
              ready: true,
              desired: 'running',
            },
          ],
        }),
    },
    openTickets: () => Promise.resolve(new Map()),
    samples: () => Promise.resolve(null),
  };
}

const states = async () => {
  const { body } = await api.ask('GET', '/api/v1/invariants');
  const { items } = body as { items: { id: string; state: string; paused_until: string | null }[] };
  return Object.fromEntries(items.map(({ id, state }) => [id, state]));
};

it('a service for an hour: its invariants and itself are shown paused until then, the others are not', async () => {
  api = await startApi(overRegistry());
  const answer = await api.ask('POST', '/api/v1/pause', { body: { target: 'api', for: '1h', by: 'ana' } });
  const until = at(3_600_000);
  expect(answer.body).toEqual({
    items: [{ kind: 'service', name: 'api', by: 'ana', at: T0, until }],
    next_cursor: null,
  });
  expect(await states()).toEqual({ a: 'paused', b: 'up' });
  expect((await api.ask('GET', '/api/v1/invariants/a')).body).toMatchObject({
    paused_by: 'ana',
    paused_until: until,
  });
  expect((await api.ask('GET', '/api/v1/services/api')).body).toMatchObject({ paused_until: until });
  expect((await api.ask('POST', '/api/v1/resume', { body: { target: 'api' } })).body).toMatchObject({
    items: [],
  });
  expect(await states()).toEqual({ a: 'unknown', b: 'up' });
});

it('everything, and everything back', async () => {
  const heard: RegistryEvent[] = [];
  api = await startApi(overRegistry(heard));
  await api.ask('POST', '/api/v1/pause');
  expect(heard).toEqual([{ type: 'pause', at: T0, target: { kind: 'all' }, until: null, by: 'person' }]);
  expect(await states()).toEqual({ a: 'paused', b: 'paused' });
  await api.ask('POST', '/api/v1/resume');
  expect(await states()).toEqual({ a: 'unknown', b: 'unknown' });
});

it.each([
  ['/pause', { target: 'zzz' }, 404, 'zzz'],
  ['/pause', { for: '0s' }, 422, 'duration'],
  ['/pause', { for: 'soon' }, 422, 'duration'],
  ['/pause', { until: 'tomorrow' }, 422, 'unknown key "until"'],
  ['/resume', { for: '1h' }, 422, 'unknown key "for"'],
])('POST %s %j: %d', async (path, body, status, named) => {
  const heard: RegistryEvent[] = [];
  api = await startApi(overRegistry(heard));
  const answer = await api.ask('POST', `/api/v1${path}`, { body });
  expect(answer).toMatchObject({ status, body: { detail: expect.stringContaining(named) as string } });
  expect(heard).toEqual([]);
});
