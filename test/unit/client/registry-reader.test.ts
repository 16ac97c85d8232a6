import { foldRegistry } from '../../../src/client/registry-reader';
import type { HistoryEvent } from '../../../src/domain/history-event';
import type { Json } from '../../../src/domain/json';
import type { RegistryEvent, RegistryState } from '../../../src/domain/registry';
import { EMPTY_REGISTRY, reduceRegistry } from '../../../src/domain/registry';
import { definition, downSince, T0 } from '../../support/invariants';

const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as Json;

const started = (state: RegistryState | null): HistoryEvent => ({
  id: 1,
  at: T0,
  type: 'started',
  workflowId: 'harness/registry',
  runId: 'r',
  workflowType: 'InvariantRegistry',
  input: [plain({ state })],
  continuedFrom: null,
  searchAttributes: {},
  memo: {},
});
const update = (input: unknown, name = 'change'): HistoryEvent => ({
  id: 2,
  at: T0,
  type: 'update_accepted',
  update: name,
  input: [plain(input)],
});
const signal = (input: unknown, name = 'transitions'): HistoryEvent => ({
  id: 3,
  at: T0,
  type: 'signaled',
  signal: name,
  input: [plain(input)],
  by: 'x',
});

const sync: RegistryEvent = { type: 'sync_file', at: T0, definitions: [definition('a'), definition('b')] };
const put: RegistryEvent = { type: 'put', at: T0, mode: 'create', definition: definition('c') };

it('updates and signals in the order of history give what the reducer gives', () => {
  const events: RegistryEvent[] = [
    sync,
    {
      type: 'transitions',
      at: T0,
      transitions: [{ invariantId: 'a', revision: 1, health: downSince('a', T0) }],
    },
    put,
    { type: 'set_enabled', at: T0, id: 'c', enabled: false },
  ];
  const state = foldRegistry([
    started(null),
    ...events.map((event) => (event.type === 'transitions' ? signal(event) : update(event))),
  ]);
  expect(state).toEqual(events.reduce(reduceRegistry, EMPTY_REGISTRY));
  expect(state.invariants['a']?.health.state).toBe('down');
  expect(Object.keys(state.invariants)).toEqual(['a', 'b', 'c']);
});

it('a continued run begins with the state it was given', () => {
  const before = [sync, put].reduce(reduceRegistry, EMPTY_REGISTRY);
  const remove: RegistryEvent = { type: 'remove', at: T0, id: 'c' };
  expect(foldRegistry([started(before), update(remove)])).toEqual(reduceRegistry(before, remove));
});

it.each<[string, HistoryEvent]>([
  ['another update', update(sync, 'other')],
  ['another signal', signal(sync, 'note')],
  ['an unknown type', update({ type: 'drop_all', at: T0 })],
  ['an event without its fields', update({ type: 'put', at: T0 })],
  ['transitions that are no list', signal({ type: 'transitions', at: T0, transitions: 'all' })],
  ['no event at all', signal(null)],
])('%s changes nothing', (_name, event) => {
  expect(foldRegistry([started(null), event])).toEqual(EMPTY_REGISTRY);
});
