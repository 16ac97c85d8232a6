import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { RUN_MARK } from '../client/process-mark';

/** Outlives the supervisor just long enough to end what it started. */
export interface Guardian {
  /** Tells it of a new process group. */
  watch(pgid: number): void;
  /** The group has ended. */
  forget(pgid: number): void;
  /** After a normal stop: it looks once more for leftovers and exits. */
  close(): void;
}

/**
 * A shell, because it holds 1 MB where a node process holds 45. End of input means that the supervisor is gone, however
 * it died: kill the groups, and whatever carries the run's mark, until two looks in a row find nothing, 5 s at most.
 */
const SCRIPT = `
trap '' INT TERM HUP
groups=' '
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) groups=\${groups%%" $group "*}" "\${groups#*" $group "} ;;
  esac
done
round=0
quiet=0
while [ $round -lt 50 ] && [ $quiet -lt 2 ]; do
  found=0
  for group in $groups; do
    kill -s KILL -- "-$group" 2>/dev/null && [ $round -lt 3 ] && found=1
  done
  for file in $(grep -lsF "${RUN_MARK}=$1" /proc/[0-9]*/environ 2>/dev/null); do
    pid=\${file#/proc/}
    kill -s KILL "\${pid%/environ}" 2>/dev/null && found=1
  done
  if [ $found = 0 ]; then quiet=$((quiet + 1)); else quiet=0; fi
  round=$((round + 1))
  sleep 0.1 2>/dev/null || sleep 1
done
`;

const RESPAWN_MS = 1_000;

/** Starts the guardian of a run; one that is killed is replaced as long as the supervisor lives. */
export function startGuardian(runId: string): Guardian {
  const groups = new Set<number>();
  let input: Socket | null = null;
  let closed = false;

  const open = (): void => {
    if (closed) return;
    const child = spawn('/bin/sh', ['-c', SCRIPT, 'harness-guardian', runId], {
      detached: true,
      cwd: '/',
      env: { PATH: '/usr/bin:/bin' },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.unref();
    child.stdin.on('error', () => undefined);
    if (child.stdin instanceof Socket) {
      // It must not keep the supervisor's event loop alive.
      child.stdin.unref();
      input = child.stdin;
    }
    for (const group of groups) child.stdin.write(`+ ${group}\n`);
    child.once('error', () => undefined);
    child.once('exit', () => {
      input = null;
      setTimeout(open, RESPAWN_MS).unref();
    });
  };
  open();

  return {
    watch(pgid) {
      groups.add(pgid);
      input?.write(`+ ${pgid}\n`);
    },
    forget(pgid) {
      if (groups.delete(pgid)) input?.write(`- ${pgid}\n`);
    },
    close() {
      closed = true;
      input?.end();
    },
  };
}
