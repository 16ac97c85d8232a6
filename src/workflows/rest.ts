import { sleep } from '@temporalio/workflow';

/** A time that must pass before something is done again. The server's timer measures it, whatever the clock is set to. */
export class Rest {
  private isOn = false;

  get isOver(): boolean {
    return !this.isOn;
  }

  begin(ms: number): void {
    this.isOn = true;
    const end = (): void => {
      this.isOn = false;
    };
    // Also when the ticket is cancelled: nobody waits for it then.
    sleep(ms).then(end, end);
  }
}
