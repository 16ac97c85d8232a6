import type { Json } from '../../../src/domain/json';
import type { LoopMemory } from '../../../src/domain/model-memory';
import { noteAnswer, noteResults, parseLoopMemory, refuseRepeats } from '../../../src/domain/model-memory';
import type { ToolCall } from '../../../src/domain/tool';

const FRESH = parseLoopMemory(null);
const look = (id: string, path = 'a'): ToolCall => ({ id, name: 'read_file', input: { path } });
const stored = (memory: LoopMemory) => JSON.parse(JSON.stringify(memory)) as Json;

/** One turn as the loop plays it: what may run is run and gives `content`; through history, as memory goes. */
function play(memory: LoopMemory, calls: readonly ToolCall[], content = 'same') {
  const { running, refused } = refuseRepeats(memory, calls);
  const noted = noteAnswer(memory, { running, isFinished: false });
  const results = running.map(({ id, name }) => ({
    callId: id,
    tool: name,
    isError: false,
    content,
    data: null,
  }));
  const next = noteResults(parseLoopMemory(stored(noted.memory)), results);
  return { memory: next, running, refused, stuck: noted.stuck };
}

function times(count: number, turn: (memory: LoopMemory, index: number) => LoopMemory): LoopMemory {
  return Array.from({ length: count }).reduce<LoopMemory>((memory, _, index) => turn(memory, index), FRESH);
}

describe('repetitions', () => {
  it('the same call with the same result three times: not run a fourth time, answered with advice', () => {
    const memory = times(3, (before, index) => {
      const played = play(before, [look(`c${index}`)]);
      expect(played.running).toHaveLength(1);
      return played.memory;
    });
    const { running, refused, stuck } = play(memory, [look('c4'), look('c5', 'b')]);
    expect(running).toEqual([look('c5', 'b')]);
    expect(refused).toEqual([
      {
        callId: 'c4',
        tool: 'read_file',
        isError: true,
        content: expect.stringMatching(/^Refused: .*hand over to a person/) as string,
        data: null,
      },
    ]);
    expect(stuck).toBeNull();
  });

  it('another result in between: it may run again', () => {
    const twice = times(2, (memory, index) => play(memory, [look(`c${index}`)]).memory);
    const { memory } = play(twice, [look('c2')], 'other');
    expect(play(memory, [look('c3')]).running).toHaveLength(1);
  });

  it('three turns in a row of nothing but repetitions: stuck', () => {
    let memory = times(3, (before, index) => play(before, [look(`c${index}`)]).memory);
    const stuck: (string | null)[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const played = play(memory, [look('again')]);
      memory = played.memory;
      stuck.push(played.stuck);
    }
    expect(stuck).toEqual([null, null, 'it repeats calls that were refused']);
  });

  it('one call that may run starts the count anew', () => {
    let memory = times(3, (before, index) => play(before, [look(`c${index}`)]).memory);
    for (const calls of [[look('r')], [look('r')], [look('new', 'b')], [look('r')], [look('r')]]) {
      const played = play(memory, calls);
      memory = played.memory;
      expect(played.stuck).toBeNull();
    }
    expect(play(memory, [look('r')]).stuck).not.toBeNull();
  });

  it('a call without a result is not counted', () => {
    const noted = noteAnswer(FRESH, { running: [look('c1')], isFinished: false }).memory;
    expect(noteResults(noted, []).breaker).toEqual({});
  });
});

describe('starts of the service', () => {
  const restart = (id: string): ToolCall => ({
    id,
    name: 'service_control',
    input: { action: 'restart', service: 'api', reason: id },
  });

  it('four that may have happened: the fifth is refused with advice, looking is not', () => {
    const memory = times(4, (before, index) => play(before, [restart(`c${index}`)], `pid ${index}`).memory);
    expect(memory.starts).toBe(0);
    const acted = times(4, (before, index) => {
      const call = restart(`c${index}`);
      const noted = noteAnswer(before, { running: [call], isFinished: false }).memory;
      const data = { outcome: 'performed' };
      return noteResults(noted, [
        { callId: call.id, tool: call.name, isError: false, content: 'done', data },
      ]);
    });
    const { running, refused } = refuseRepeats(acted, [restart('c5'), look('c6')]);
    expect(running).toEqual([look('c6')]);
    expect(refused).toMatchObject([
      { callId: 'c5', content: expect.stringContaining('did not help') as string },
    ]);
  });
});

describe('calls that no tool can take', () => {
  const nonsense = (memory: LoopMemory) =>
    noteAnswer(memory, { running: [look('c')], isFinished: false, isNonsense: true });

  it('twice in a row: stuck', () => {
    const first = nonsense(FRESH);
    expect(first.stuck).toBeNull();
    expect(nonsense(parseLoopMemory(stored(first.memory))).stuck).toMatch(/does not exist/);
  });

  it('a sensible turn in between starts the count anew', () => {
    expect(nonsense(play(nonsense(FRESH).memory, [look('c')]).memory).stuck).toBeNull();
  });
});

describe('turns that end without a call', () => {
  const finish = (memory: LoopMemory) => noteAnswer(memory, { running: [], isFinished: true });

  it('says it is done and is not, for the third time: stuck', () => {
    const first = finish(FRESH);
    const second = finish(first.memory);
    expect([first.stuck, second.stuck]).toEqual([null, null]);
    expect(finish(second.memory).stuck).toBe('it says that it is done, and it is not');
  });

  it('a call in between starts the count anew', () => {
    const twice = finish(finish(FRESH).memory).memory;
    expect(finish(play(twice, [look('c')]).memory).stuck).toBeNull();
  });
});

describe('what is kept', () => {
  it('stays small, however many calls an attempt makes', () => {
    const memory = times(200, (before, index) => play(before, [look(`c${index}`, `file ${index}`)]).memory);
    expect(Object.keys(memory.breaker)).toHaveLength(12);
    expect(memory.calls).toEqual([]);
    expect(JSON.stringify(memory).length).toBeLessThan(4_000);
  });

  it('a call that is made again stays known, whatever else is asked in between', () => {
    const busy = (memory: LoopMemory, from: number) =>
      Array.from({ length: 8 }).reduce<LoopMemory>(
        (before, _, index) => play(before, [look('x', `file ${from + index}`)]).memory,
        memory,
      );
    let memory: LoopMemory = FRESH;
    for (let round = 0; round < 3; round += 1) {
      memory = busy(play(memory, [look('c')]).memory, round * 100);
    }
    expect(play(memory, [look('c')]).running).toEqual([]);
  });

  it.each<[string, Json]>([
    ['none yet', null],
    ['of another brain', { waits: 3 }],
    ['of another version', { breaker: {}, calls: [], repeats: 'many', idle: 0 }],
    ['no record', 'x'],
  ])('%s: begins anew', (_name, memory) => {
    expect(parseLoopMemory(memory)).toEqual({
      breaker: {},
      calls: [],
      repeats: 0,
      nonsense: 0,
      idle: 0,
      starts: 0,
    });
  });
});
