import { BUILTIN_COMMAND_RULES, decideCommand, matchesCommand } from '../../../src/domain/command-rules';

const decide = (argv: readonly string[]) => decideCommand(argv, BUILTIN_COMMAND_RULES);

describe('the built-in command rules', () => {
  const matching = BUILTIN_COMMAND_RULES.flatMap((rule) => rule.match.map((argv) => ({ rule, argv })));
  const notMatching = BUILTIN_COMMAND_RULES.flatMap((rule) => rule.notMatch.map((argv) => ({ rule, argv })));

  it.each(matching.map(({ rule, argv }) => [argv.join(' '), rule, argv] as const))(
    '%s is allowed by its rule',
    (_shown, rule, argv) => {
      expect(matchesCommand(argv, rule)).toBe(true);
      expect(decide(argv)).toMatchObject({ verdict: 'allow', rule: `command:${rule.id}` });
    },
  );

  it.each(notMatching.map(({ argv }) => [argv.join(' '), argv] as const))(
    '%s is denied by every rule',
    (_shown, argv) => {
      expect(decide(argv).verdict).toBe('deny');
    },
  );

  it('every rule has examples of both kinds', () => {
    for (const rule of BUILTIN_COMMAND_RULES) {
      expect(rule.match.length).toBeGreaterThan(0);
      expect(rule.notMatch.length).toBeGreaterThan(0);
    }
  });
});

describe('decideCommand, traps', () => {
  it.each([
    [['sh', '-c', 'ps aux']],
    [['bash', '-lc', 'ps aux']],
    [['python3', '-c', 'print(1)']],
    [['node', '-e', '1']],
    [['perl', '-e', '1']],
    [['env', 'ps', 'aux']],
    [['sudo', 'ps', 'aux']],
    [['nohup', 'ps', 'aux']],
    [['timeout', '5', 'ps', 'aux']],
    [['xargs', 'ps', 'aux']],
    [['find', '/', '-exec', 'rm', '{}', ';']],
    [['find', '/', '-delete']],
    [['awk', 'BEGIN{system("id")}']],
    [['sed', '-i', 's/a/b/', '/etc/hosts']],
    [['sort', '-o', '/etc/hosts']],
    [['tar', '--to-command=sh', '-xf', 'x']],
    [['curl', 'file:///etc/passwd']],
    [['./ps', 'aux']],
    [['/tmp/ps', 'aux']],
    [['/usr/bin/ps', 'aux']],
    [['../../usr/bin/ps', 'aux']],
    [['ps', 'aux', '--pid', '1']],
    [['ps', 'aux;', 'id']],
    [['ps', 'aux|sh']],
    [['ps', '$(id)']],
    [['ps aux']],
    [['PS', 'aux']],
    [['ps ', 'aux']],
    [['ps', 'aux\n']],
    [['ps\u200b', 'aux']],
    [['LD_PRELOAD=/tmp/x.so', 'ps', 'aux']],
    [['cat', '/proc/1/environ']],
    [['cat', '-n', '/proc/meminfo']],
    [['kill', '-9', '1']],
    [['']],
    [['ps', '']],
    [[]],
    [Array.from({ length: 40 }, () => 'ps')],
    [['ps', 'a'.repeat(2_000)]],
  ])('%j is denied', (argv) => {
    expect(decide(argv).verdict).toBe('deny');
  });

  it('the same words in an allowed shape pass', () => {
    expect(decide(['ps', 'aux']).verdict).toBe('allow');
  });

  it.each([
    [['harness', 'service', 'restart', 'x'], 'service_control'],
    [['systemctl', 'restart', 'x'], 'service_control'],
    [['kill', '1'], 'service_control'],
    [['curl', 'http://localhost:8001/metrics'], 'query_metrics'],
    [['cat', '/etc/hosts'], 'read_file'],
    [['grep', '-r', 'x', '.'], 'search_code'],
    [['ls', '-la'], 'list_files'],
    [['journalctl', '-u', 'x'], 'query_logs'],
    [['/usr/bin/ps', 'aux'], 'without a path'],
  ])('the denial of %j names the allowed way: %s', (argv, way) => {
    expect(decide(argv).reason).toContain(way);
  });

  it('without rules nothing is allowed', () => {
    expect(decideCommand(['ps', 'aux'], []).verdict).toBe('deny');
  });
});
