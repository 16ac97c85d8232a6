/** How to end what runs now and must not outlive us. */
const owned = new Set();
let isEnding = false;

/** Registers something to be ended when the bench is interrupted; the answer takes it off the list again. */
export function own(dispose) {
  mustGoOn();
  owned.add(dispose);
  return () => owned.delete(dispose);
}

/** Throws once the bench has been told to end: nothing may be started any more. */
export function mustGoOn() {
  if (isEnding) throw new Error('the bench was interrupted');
}

export const isInterrupted = () => isEnding;

export function endOnSignals() {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      isEnding = true;
      const ends = [...owned].map(async (dispose) => await dispose());
      void Promise.allSettled(ends).then(() => process.exit(130));
    });
  }
}
