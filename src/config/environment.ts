/** The environment as a process received it; `src/config` is the only place that reads it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A copy of the environment of this process. */
export function readEnvironment(): Environment {
  return { ...process.env };
}

/** What every child process gets besides its own configuration: PATH, HOME and LANG. */
export function baseEnvironment(): Record<string, string> {
  return inheritedEnvironment(['PATH', 'HOME', 'LANG']);
}

/** The named variables as far as they are set; a child never inherits anything that is not named. */
export function inheritedEnvironment(keys: readonly string[]): Record<string, string> {
  const inherited: Record<string, string> = {};
  for (const key of keys) {
    const value = process.env[key];
    if (value !== undefined) inherited[key] = value;
  }
  return inherited;
}
