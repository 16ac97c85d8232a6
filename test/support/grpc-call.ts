/** Which call of a worker to hold. */
export interface CallRule {
  /** Name of the RPC without its service. */
  readonly method: string;
  /** All of these stand in the message, which is searched as it is on the wire. */
  readonly contains: readonly Buffer[];
  /** The first such call, the second, … */
  readonly nth: number;
}

/** A protobuf field with text, as bytes: exact where the bare text might stand in a payload too. */
export function textField(number: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  // Numbers and lengths above these take more than one byte.
  if (number > 15 || bytes.length > 127) throw new Error(`field ${number} with ${text} needs a real encoder`);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}

/** One call that waits in the proxy: first with its request, then, once that was forwarded, with the answer. */
export class HeldCall {
  /** The call has come; the server knows nothing of it. */
  readonly reached: Promise<void>;
  private readonly answered: Promise<void>;
  private readonly gates = { request: gate(), response: gate() };
  private tell = { reached: (): void => undefined, answered: (): void => undefined };

  private seen = 0;

  constructor(private readonly rule: CallRule) {
    this.reached = new Promise((resolve) => (this.tell.reached = resolve));
    this.answered = new Promise((resolve) => (this.tell.answered = resolve));
  }

  /** Forwards the request; resolves when the server has answered. The caller does not get the answer yet. */
  async forward(): Promise<void> {
    this.gates.request.open();
    await this.answered;
  }

  /** Lets it pass as if it had never been held. */
  release(): void {
    this.gates.request.open();
    this.gates.response.open();
  }

  /** What is held never arrives. */
  drop(): void {
    const error = new Error('dropped');
    this.gates.request.fail(error);
    this.gates.response.fail(error);
  }

  /** For the proxy: whether this is the call. */
  takes(method: string, message: Buffer): boolean {
    const { rule } = this;
    if (method !== rule.method || !rule.contains.every((bytes) => message.includes(bytes))) return false;
    this.seen += 1;
    return this.seen === rule.nth;
  }

  /** For the proxy. */
  async reachRequest(): Promise<void> {
    this.tell.reached();
    await this.gates.request.passed;
  }

  /** For the proxy. */
  async reachResponse(): Promise<void> {
    this.tell.answered();
    await this.gates.response.passed;
  }
}

interface Gate {
  readonly passed: Promise<void>;
  open(): void;
  fail(error: Error): void;
}

function gate(): Gate {
  let open: Gate['open'] = () => undefined;
  let fail: Gate['fail'] = () => undefined;
  const passed = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  // Nobody may be waiting when it fails.
  passed.catch(() => undefined);
  return { passed, open, fail };
}
