import type { TicketView } from '../../../src/domain/ticket-view';
import { withUndos } from '../../../src/domain/ticket-view';

const entry = (at: string) => ({ at, kind: 'tool', title: at, detail: '', ok: null }) as const;
const ticket = (...times: string[]) => ({ timeline: times.map(entry) }) as Partial<TicketView> as TicketView;

describe('withUndos', () => {
  it('nobody undid anything: null, and the same timeline', () => {
    expect(withUndos(ticket('1', '2'), [])).toEqual({ ...ticket('1', '2'), undone: null });
  });

  it('undos stand in the timeline where they happened; the last one speaks for all of their files', () => {
    const first = { at: '2', by: 'ana', reason: 'meant so', files: ['/c'] };
    const last = { at: '9', by: 'bo', reason: '', files: ['/d', '/c'] };
    const { timeline, undone } = withUndos(ticket('1', '3'), [first, last]);
    expect(timeline.map(({ at }) => at)).toEqual(['1', '2', '3', '9']);
    expect(timeline[1]).toEqual({
      at: '2',
      kind: 'undone',
      title: 'ana had its edits put back',
      detail: 'meant so\n/c',
      ok: null,
    });
    expect(undone).toEqual({ at: '9', by: 'bo', reason: '', files: ['/c', '/d'] });
  });
});
