import { customAlphabet } from 'nanoid';

/** Also keeps a ticket ID from leaving the archive's folder. Those of earlier versions may have dashes. */
export const TICKET_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Letters and digits alone: an ID that begins with a dash would be an option to every command. */
export const newTicketId = customAlphabet(
  '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
  21,
);
