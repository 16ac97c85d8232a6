import { pino, stdTimeFunctions } from 'pino';
import type { DestinationStream, Logger } from 'pino';

/** One JSON object a line, level by name, time in RFC 3339. Callers never log what a client sent. */
export function createLog(destination: DestinationStream): Logger {
  return pino(
    {
      base: { service: 'rate-limiter', pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}
