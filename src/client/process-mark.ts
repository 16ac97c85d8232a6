/** Environment variables by which every process the supervisor started, and its descendants, can be found again. */
export const RUN_MARK = 'HARNESS_RUN_ID';
export const SERVICE_MARK = 'HARNESS_SERVICE';

/** The marks of an environment, for children that inherit nothing else of it; none where no supervisor started us. */
export function marksOf(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [RUN_MARK, SERVICE_MARK].flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
