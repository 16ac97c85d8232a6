import { newTicketId, TICKET_ID } from '../../../src/client/ticket-id';

it('no new ticket ID looks like an option of a command', () => {
  const ids = Array.from({ length: 2_000 }, () => newTicketId());
  expect(ids.filter((id) => !/^[A-Za-z0-9]{21}$/.test(id) || !TICKET_ID.test(id))).toEqual([]);
  expect(new Set(ids).size).toBe(ids.length);
});
