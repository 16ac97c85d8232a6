/** Runs tasks one after the other, in the order they came. */
export class Serial {
  private last: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.last.then(task);
    this.last = result.catch(() => undefined);
    return result;
  }

  /** All tasks known now have ended. */
  async idle(): Promise<void> {
    await this.last;
  }
}
