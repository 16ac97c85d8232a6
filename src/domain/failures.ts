/** Types of ApplicationFailure that activities and workflows throw; nobody branches on message text. */
export const FAILURES = {
  /** The check itself could not run (registry unreadable, no sockets left): not a verdict about the service. */
  checkCouldNotRun: 'CheckCouldNotRun',
  /** The control socket of the supervisor did not answer. */
  controlUnreachable: 'ControlUnreachable',
  /** An input that no retry can repair. */
  invalidInput: 'InvalidInput',
  /** A registry update was refused; details[0] is a RegistryRejection. */
  registryRejected: 'RegistryRejected',
  /** A ticket update was refused. */
  ticketRejected: 'TicketRejected',
  /** A file could not be written or read under the data directory. */
  storage: 'Storage',
  /** Failures of a call to the model; `model-failure.ts` decides which, and whether to try again. */
  claudeRateLimited: 'ClaudeRateLimited',
  claudeSpendLimit: 'ClaudeSpendLimit',
  claudeAuth: 'ClaudeAuth',
  claudeBilling: 'ClaudeBilling',
  claudeBadRequest: 'ClaudeBadRequest',
  claudeNotFound: 'ClaudeNotFound',
  claudeTooLarge: 'ClaudeTooLarge',
  /** The API answered that it cannot serve now. */
  claudeUnavailable: 'ClaudeUnavailable',
  /** No answer, or only a part of one. */
  claudeUnreachable: 'ClaudeUnreachable',
  /** The call was never right: a mistake on our side of the wire. */
  claudeClientBug: 'ClaudeClientBug',
  /** The API answered, but with nothing that can be acted on: cut off, or against its own rules. */
  uselessAnswer: 'UselessAnswer',
} as const;
