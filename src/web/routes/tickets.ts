import { nanoid } from 'nanoid';
import { Router } from 'express';
import { z } from 'zod';
import { TICKET_ID } from '../../client/ticket-id';
import { INVARIANT_ID } from '../../domain/invariant';
import { mayHaveEdited } from '../../domain/may-have-edited';
import { isAtWork, isOpen, TICKET_STATUSES } from '../../domain/ticket';
import type { TicketDetail } from '../../domain/ticket-view';
import type { Trajectory } from '../../domain/trajectory';
import type { TicketContext } from '../../workflows/agent-contract';
import type { CancelReason, NoteInput } from '../../workflows/contract';
import type { WebDependencies } from '../dependencies';
import { jsonBody, parseInput } from '../parse-body';
import { ticketDetail, ticketItem, trajectoryWire, undoWire } from '../presenters';
import { notFound, Problem } from '../problem';

const status = z.enum(
  [...TICKET_STATUSES, 'open'],
  `expected one of ${[...TICKET_STATUSES, 'open'].join(', ')}`,
);
const limit = 'expected a whole number from 1 to 200';
const listQuery = z.strictObject({
  status: status.optional(),
  invariant: z.string().regex(INVARIANT_ID, 'expected the ID of an invariant').optional(),
  service: z.string().min(1).max(200).optional(),
  limit: z.coerce.number(limit).int(limit).min(1, limit).max(200, limit).default(50),
  cursor: z.string().max(500).optional(),
});
const by = z.string().trim().min(1).max(100).default('person');
const noteBody = z.strictObject({
  text: z
    .string('expected a text')
    .trim()
    .min(1, 'expected a text')
    .max(4_000, 'expected at most 4000 characters'),
  by,
});
const reasonBody = z.strictObject({ reason: z.string('expected a text').trim().max(1_000).default(''), by });
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,128}$/;

/** Tickets for people and scripts; reading needs no worker, notes and cancelling neither. */
export function ticketRoutes(
  deps: Pick<
    WebDependencies,
    'tickets' | 'commands' | 'undoEdits' | 'registry' | 'redact' | 'now' | 'cooldownMs' | 'budget'
  >,
): Router {
  const router = Router();

  async function find(id: string): Promise<TicketDetail> {
    const ticket = TICKET_ID.test(id) ? await deps.tickets.get(id) : null;
    if (ticket) return ticket;
    throw unknownTicket(id);
  }

  async function findTrajectory(id: string): Promise<Trajectory> {
    const trajectory = TICKET_ID.test(id) ? await deps.tickets.trajectory(id) : null;
    if (trajectory) return trajectory;
    throw unknownTicket(id);
  }

  async function findOpen(id: string): Promise<TicketDetail> {
    const ticket = await find(id);
    if (isOpen(ticket)) return ticket;
    throw closedProblem(ticket.id, ticket.resolution ?? ticket.status);
  }

  router.get('/tickets', async (request, response) => {
    const { limit, status, invariant, service, cursor } = parseInput(listQuery, request.query, 400);
    const page = await deps.tickets.list({
      limit,
      ...(status !== undefined && { status }),
      ...(invariant !== undefined && { invariant }),
      ...(service !== undefined && { service }),
      ...(cursor !== undefined && { cursor }),
    });
    response.json({ items: page.items.map(ticketItem), next_cursor: page.nextCursor });
  });

  router.get('/tickets/:id', async (request, response) => {
    response.json(ticketDetail(await find(request.params.id), deps.budget));
  });

  router.get('/tickets/:id/trajectory', async (request, response) => {
    response.json(trajectoryWire(await findTrajectory(request.params.id)));
  });

  router.post('/tickets/:id/notes', async (request, response) => {
    const body = parseInput(noteBody, jsonBody(request));
    const ticket = await findOpen(request.params.id);
    const note: NoteInput = {
      at: deps.now().toISOString(),
      by: body.by,
      text: deps.redact(body.text),
      signature: `note:${idempotencyKey(request.get('idempotency-key'))}`,
    };
    if (!(await deps.commands.note(ticket, note))) throw closedProblem(ticket.id, 'closed');
    response.status(201).json({ at: note.at, by: note.by, text: note.text });
  });

  for (const mode of ['cancel', 'dismiss'] as const) {
    router.post(`/tickets/:id/${mode}`, async (request, response) => {
      const body = parseInput(reasonBody, jsonBody(request));
      const ticket = await findOpen(request.params.id);
      const at = deps.now();
      const cooledDown = new Date(at.getTime() + deps.cooldownMs).toISOString();
      // Before the ticket closes: the sweep after it must already know that nobody wants another one.
      await deps.registry.dismiss({
        at: at.toISOString(),
        invariantIds: [ticket.invariantId, ...ticket.joinedInvariants],
        until: mode === 'dismiss' ? null : cooledDown,
        by: body.by,
      });
      const reason: CancelReason = { by: body.by, reason: deps.redact(body.reason), mode };
      if (!(await deps.commands.cancel(ticket, reason))) throw closedProblem(ticket.id, 'closed');
      // Accepted, not done: the ticket's workflow stops its tool first, and needs an agent for that.
      response.status(202).json(ticketItem(ticket));
    });
  }

  router.post('/tickets/:id/retry', async (request, response) => {
    const body = parseInput(reasonBody, jsonBody(request));
    const ticket = await findOpen(request.params.id);
    if (ticket.status !== 'blocked') {
      const detail = `Ticket ${ticket.id} is ${ticket.status}: it is being worked on already.`;
      throw new Problem(409, 'Ticket is not blocked', detail);
    }
    const wish = { by: body.by, reason: deps.redact(body.reason) };
    if (!(await deps.commands.retry(ticket, wish))) throw closedProblem(ticket.id, 'closed');
    response.status(202).json(ticketItem(ticket));
  });

  router.post('/tickets/:id/undo', async (request, response) => {
    const { by, reason } = parseInput(reasonBody, jsonBody(request));
    const trajectory = await findTrajectory(request.params.id);
    const ticket = undoable(trajectory, request.params.id);
    const answer = await deps.undoEdits({ ticket, person: { by, reason: deps.redact(reason) } });
    response.status(answer.kind === 'done' ? 200 : 202).json(undoWire(ticket.ticketId, answer));
  });

  return router;
}

/** Throws a Problem when the ticket is still at work on its edits, or made none. */
function undoable({ ticket, status, turns }: Trajectory, id: string): TicketContext {
  if (!ticket) throw unknownTicket(id);
  if (isAtWork({ status })) {
    const detail = `Ticket ${id} is ${status}: cancel it, which puts its edits back.`;
    throw new Problem(409, 'Ticket is being worked on', detail);
  }
  if (!mayHaveEdited({ turns })) throw new Problem(409, 'Nothing to undo', `Ticket ${id} made no edits.`);
  const { invariantId, service, detectedAt } = ticket;
  return { ticketId: ticket.id, invariantId, service, detectedAt };
}

const unknownTicket = (id: string): Problem =>
  notFound(`ticket ${JSON.stringify(id)}`, 'GET /api/v1/tickets lists them.');

function closedProblem(id: string, how: string): Problem {
  return new Problem(409, 'Ticket is closed', `Ticket ${id} has ended (${how}); nothing more happens on it.`);
}

/** The same key again is the same note: the ticket keeps it once. */
function idempotencyKey(given: string | undefined): string {
  if (given === undefined) return nanoid();
  if (IDEMPOTENCY_KEY.test(given)) return given;
  throw new Problem(
    400,
    'Bad Idempotency-Key',
    'Idempotency-Key must have 1 to 128 visible ASCII characters.',
  );
}
