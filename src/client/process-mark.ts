/** Environment variables by which every process the supervisor started, and its descendants, can be found again. */
export const RUN_MARK = 'HARNESS_RUN_ID';
export const SERVICE_MARK = 'HARNESS_SERVICE';
