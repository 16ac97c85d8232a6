import { mayHaveEdited } from '../../../src/domain/may-have-edited';
import type { Json } from '../../../src/domain/json';
import type { TrajectoryTurn } from '../../../src/domain/trajectory';

interface Given {
  readonly startedAt?: string | null;
  readonly data?: Json;
  readonly isError?: boolean;
  readonly hasResult?: boolean;
}

function turn(name: string, given: Given): TrajectoryTurn {
  const { startedAt = 't', data = { outcome: 'performed' }, isError = false, hasResult = true } = given;
  const result = { callId: 'c', tool: name, isError, content: '', data };
  const call = { id: 'c', name, input: {} };
  return {
    turn: 1,
    attempt: 1,
    brain: 'runbook',
    model: null,
    text: '',
    startedAt: 't',
    endedAt: 't',
    calls: [
      { call, decision: null, result: hasResult ? result : null, failure: null, startedAt, endedAt: null },
    ],
  };
}

it.each<[string, string, Given, boolean]>([
  ['a restore', 'restore_file', {}, true],
  ['an edit', 'edit_file', {}, true],
  ['an edit that failed half way', 'edit_file', { isError: true, data: {} }, true],
  ['an edit without an answer: nobody knows', 'edit_file', { hasResult: false }, true],
  ['an edit that was denied and never began', 'edit_file', { hasResult: false, startedAt: null }, false],
  ['nothing to restore', 'restore_file', { data: { outcome: 'noop' } }, false],
  ['refused', 'restore_file', { isError: true, data: { outcome: 'refused' } }, false],
  ['left to a person', 'restore_file', { isError: true, data: { outcome: 'intended' } }, false],
  ['an undo', 'undo_edits', {}, false],
  ['a restart', 'service_control', {}, false],
  ['a tool that is not known', 'format_disk', {}, false],
])('%s (%s %j): %s', (_what, name, given, expected) => {
  expect(mayHaveEdited({ turns: [turn('inspect_service', {}), turn(name, given)] })).toBe(expected);
});
