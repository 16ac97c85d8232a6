import type { Decision } from './tool';

/** A word of a pattern that stands for a process ID. */
const PID = { param: 'pid' } as const;
type PatternWord = string | readonly string[] | typeof PID;

/** Allows one exact argv shape: same number of words, each equal to its pattern word. */
export interface CommandRule {
  readonly id: string;
  readonly pattern: readonly PatternWord[];
  readonly reason: string;
  /** Examples that are checked against the rule by a test: they must match, respectively not match. */
  readonly match: readonly (readonly string[])[];
  readonly notMatch: readonly (readonly string[])[];
}

/** Programs that read and print, in argv shapes that cannot write, execute or open a path of the caller's choice. */
export const BUILTIN_COMMAND_RULES: readonly CommandRule[] = [
  {
    id: 'ps-all',
    pattern: ['ps', ['-ef', 'aux', '-eLf', 'axjf']],
    reason: 'lists processes',
    match: [
      ['ps', 'aux'],
      ['ps', '-ef'],
    ],
    // BSD option `e` prints the environment of other processes.
    notMatch: [['ps', 'auxe'], ['ps', 'aux', 'e'], ['ps'], ['./ps', 'aux']],
  },
  {
    id: 'ps-pid',
    pattern: ['ps', '-o', 'pid,ppid,pgid,stat,etime,pcpu,rss,wchan:20,args', '-p', PID],
    reason: 'shows one process',
    match: [['ps', '-o', 'pid,ppid,pgid,stat,etime,pcpu,rss,wchan:20,args', '-p', '42']],
    notMatch: [
      ['ps', '-o', 'environ', '-p', '42'],
      ['ps', '-o', 'pid,ppid,pgid,stat,etime,pcpu,rss,wchan:20,args', '-p', '42 43'],
    ],
  },
  {
    id: 'ss',
    pattern: ['ss', ['-ltnp', '-ltn', '-tnp', '-lunp', '-s']],
    reason: 'lists sockets',
    match: [
      ['ss', '-ltnp'],
      ['ss', '-s'],
    ],
    // -K closes sockets, -D and -F name files.
    notMatch: [
      ['ss', '-K'],
      ['ss', '-ltnp', '-K'],
      ['ss', '-D', '/tmp/x'],
      ['ss', '-F', '/etc/passwd'],
    ],
  },
  {
    id: 'df',
    pattern: ['df', ['-h', '-i', '-hT', '-hl']],
    reason: 'shows free disk space',
    match: [['df', '-h']],
    notMatch: [['df', '-h', '/etc'], ['df', '--sync'], ['df']],
  },
  {
    id: 'free',
    pattern: ['free', ['-m', '-h', '-k']],
    reason: 'shows free memory',
    match: [['free', '-m']],
    // -s repeats for ever.
    notMatch: [
      ['free', '-s', '1'],
      ['free', '-m', '-s1'],
    ],
  },
  {
    id: 'uptime',
    pattern: ['uptime'],
    reason: 'shows load and uptime',
    match: [['uptime']],
    notMatch: [['uptime', '-p', 'x']],
  },
  {
    id: 'uname',
    pattern: ['uname', '-a'],
    reason: 'names the system',
    match: [['uname', '-a']],
    notMatch: [['uname', '-a', '-a']],
  },
  {
    id: 'cat-proc',
    pattern: [
      'cat',
      [
        '/proc/loadavg',
        '/proc/meminfo',
        '/proc/stat',
        '/proc/net/tcp',
        '/proc/net/tcp6',
        '/proc/net/sockstat',
        '/proc/pressure/cpu',
        '/proc/pressure/io',
        '/proc/pressure/memory',
      ],
    ],
    reason: 'shows counters of the kernel',
    match: [['cat', '/proc/meminfo']],
    notMatch: [
      ['cat', '/proc/1/environ'],
      ['cat', '/proc/meminfo', '/etc/shadow'],
      ['cat', '/proc/../etc/shadow'],
      ['cat', '/proc/self/root/etc/shadow'],
    ],
  },
];

/** What to do instead of a command that is asked for often. */
const ADVICE: readonly (readonly [readonly string[], string])[] = [
  [['harness', 'systemctl', 'service', 'kill', 'pkill', 'killall', 'pm2', 'docker'], 'use service_control'],
  [
    ['curl', 'wget', 'nc', 'telnet', 'http'],
    'use inspect_service (it probes the invariant) or query_metrics',
  ],
  [['cat', 'less', 'more', 'head', 'tail', 'stat', 'file'], 'use read_file, or query_logs for log lines'],
  [['ls', 'find', 'tree', 'fd'], 'use list_files'],
  [['grep', 'egrep', 'fgrep', 'rg', 'ag', 'awk', 'sed'], 'use search_code or query_logs'],
  [['journalctl', 'dmesg'], 'use query_logs'],
  [['lsof', 'netstat', 'fuser'], 'use ["ss", "-ltnp"]'],
  [['top', 'htop', 'pgrep', 'pidof'], 'use ["ps", "aux"] or inspect_service'],
];
const MAX_WORDS = 32;
const MAX_WORD_LENGTH = 1_024;

/** May this argv run? Default deny; a denial names the allowed way. Nothing is interpreted: no shell, no expansion. */
export function decideCommand(argv: readonly string[], rules: readonly CommandRule[]): Decision {
  const [program] = argv;
  if (program === undefined || argv.length > MAX_WORDS || argv.some(isBadWord)) {
    return deny(
      'command-malformed',
      `argv must have 1 to ${MAX_WORDS} words of at most ${MAX_WORD_LENGTH} printable characters`,
    );
  }
  const rule = rules.find((candidate) => matchesCommand(argv, candidate));
  if (rule) return { verdict: 'allow', rule: `command:${rule.id}`, reason: rule.reason };
  if (program.includes('/')) {
    return deny('command-by-path', `${quote(program)}: name the program without a path. ${allowed(rules)}`);
  }
  const name = program.toLowerCase();
  const instead = ADVICE.find(([names]) => names.includes(name))?.[1];
  const advice = instead ? `${instead}. ` : '';
  return deny(
    'command-not-allowed',
    `${quote(argv.join(' '))} is not on the list of allowed commands; ${advice}${allowed(rules)}`,
  );
}

/** Whether argv has exactly the rule's shape. */
export function matchesCommand(argv: readonly string[], rule: CommandRule): boolean {
  return (
    argv.length === rule.pattern.length &&
    rule.pattern.every((wanted, index) => matchesWord(argv[index] ?? '', wanted))
  );
}

function matchesWord(word: string, wanted: PatternWord): boolean {
  if (typeof wanted === 'string') return word === wanted;
  if ('param' in wanted) return /^[1-9][0-9]{0,6}$/.test(word);
  return wanted.includes(word);
}

function isBadWord(word: string): boolean {
  return word === '' || word.length > MAX_WORD_LENGTH || /[\p{Cc}\p{Cf}]/u.test(word);
}

function allowed(rules: readonly CommandRule[]): string {
  return `Allowed: ${rules.map((rule) => rule.pattern.map(showWord).join(' ')).join('; ')}`;
}

function showWord(word: PatternWord): string {
  if (typeof word === 'string') return word;
  return 'param' in word ? `<${word.param}>` : word.join('|');
}

function deny(rule: string, reason: string): Decision {
  return { verdict: 'deny', rule, reason };
}

function quote(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}
