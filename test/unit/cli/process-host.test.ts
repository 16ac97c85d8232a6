import { EventEmitter } from 'node:events';
import { createProcessHost } from '../../../src/cli/process-host';

class FakeProcess extends EventEmitter {
  readonly exits: number[] = [];
  readonly sent: unknown[] = [];
  connected = false;
  exit(code: number): void {
    this.exits.push(code);
  }
  send(message: unknown): void {
    this.sent.push(message);
  }
}

function hostOn(hosted: FakeProcess, lines: string[] = []) {
  return createProcessHost({
    name: 'monitor',
    logLevel: 'warn',
    process: hosted,
    destination: { write: (line: string) => void lines.push(line) },
  });
}

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s aborts once; the second one ends the process at once with %i', (signal, code) => {
  const hosted = new FakeProcess();
  const host = hostOn(hosted);
  expect(host.signal.aborted).toBe(false);
  hosted.emit(signal);
  expect(host.signal.aborted).toBe(true);
  expect(hosted.exits).toEqual([]);
  expect(host.exitCode()).toBe(code);
  hosted.emit(signal);
  expect(hosted.exits).toEqual([code]);
});

test('the loss of the parent aborts without blame', () => {
  const hosted = new FakeProcess();
  const host = hostOn(hosted);
  hosted.emit('disconnect');
  expect(host.signal.aborted).toBe(true);
  expect(host.exitCode()).toBe(0);
});

test('ready is told to a parent that listens, and to nobody else', () => {
  const hosted = new FakeProcess();
  hostOn(hosted).ready();
  expect(hosted.sent).toEqual([]);
  hosted.connected = true;
  hostOn(hosted).ready();
  expect(hosted.sent).toEqual([{ type: 'ready' }]);
});

test('logs are JSON lines of the asked level, with the name of the process and the time', () => {
  const lines: string[] = [];
  const host = hostOn(new FakeProcess(), lines);
  host.log.info('not shown');
  host.log.warn({ a: 1 }, 'shown');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      level: 40,
      name: 'monitor',
      a: 1,
      msg: 'shown',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    },
  ]);
});

test('release takes every handler away', () => {
  const hosted = new FakeProcess();
  hostOn(hosted).release();
  expect(hosted.eventNames()).toEqual([]);
});
