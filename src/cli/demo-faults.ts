/** What can be broken in the demo, by the name that is typed. */
export const DEMO_FAULTS = ['kill', 'hang', 'dead', 'latency', 'badconfig'] as const;
export type DemoFault = (typeof DEMO_FAULTS)[number];

/** Median and worst of twenty on the reference machine, in seconds after the fault. */
interface Promised {
  readonly median: number;
  readonly worst: number;
}

export interface FaultPlan {
  /** What the demo says that it did; the pid goes in front. */
  readonly did: string;
  /** Written into the service's configuration file, which must be as before at the end; null: the file is left alone. */
  readonly config: string | null;
  /** Sent to its process after that. */
  readonly signal: NodeJS.Signals | null;
  /** Starts of the service that the repair may need: exactly these. */
  readonly starts: 0 | 1;
  /** An answer that takes longer counts as none. */
  readonly answerMs: number;
  readonly promised: { readonly ticket: Promised; readonly answers: Promised; readonly closed: Promised };
}

const ANSWER_MS = 500;
/** The rule that the latency fault breaks, and the demo's own measure for it. */
export const QUICK_MS = 200;

export const FAULT_PLANS: Readonly<Record<DemoFault, FaultPlan>> = {
  kill: {
    did: 'killed (SIGKILL)',
    config: null,
    signal: 'SIGKILL',
    starts: 1,
    answerMs: ANSWER_MS,
    promised: {
      ticket: { median: 0.4, worst: 1.2 },
      answers: { median: 0.8, worst: 2 },
      closed: { median: 2.2, worst: 4 },
    },
  },
  hang: {
    did: 'stopped (SIGSTOP)',
    config: null,
    signal: 'SIGSTOP',
    starts: 1,
    answerMs: ANSWER_MS,
    promised: {
      ticket: { median: 6, worst: 9 },
      answers: { median: 8, worst: 11 },
      closed: { median: 9.5, worst: 13 },
    },
  },
  dead: {
    did: 'told to answer 503 ("enabled": false in its configuration)',
    config: '{ "enabled": false }\n',
    signal: null,
    starts: 0,
    answerMs: ANSWER_MS,
    promised: {
      ticket: { median: 3.8, worst: 6.5 },
      answers: { median: 4.6, worst: 7.5 },
      closed: { median: 6, worst: 9 },
    },
  },
  latency: {
    did: 'told to answer 500 ms later ("delay_ms": 500 in its configuration)',
    config: '{ "enabled": true, "delay_ms": 500 }\n',
    signal: null,
    starts: 0,
    answerMs: QUICK_MS,
    promised: {
      ticket: { median: 5, worst: 8 },
      answers: { median: 6, worst: 9 },
      closed: { median: 8, worst: 11 },
    },
  },
  badconfig: {
    did: 'killed (SIGKILL), its configuration broken: no start succeeds',
    config: '{ "enabled": tru',
    signal: 'SIGKILL',
    starts: 1,
    answerMs: ANSWER_MS,
    promised: {
      ticket: { median: 0.4, worst: 1.2 },
      answers: { median: 3, worst: 6 },
      closed: { median: 5, worst: 9 },
    },
  },
};
