import type { Moment, StepName } from './ticket-steps';
import { STEP_NAMES } from './ticket-steps';

/**
 * When a run dies, its services die with it, and the next run starts them: one start that no ticket ordered. A ticket whose
 * restart had begun has counted one of its own, which is gone. It is `fixed` only if the restart's result is in its history:
 * the new run finds the service up, and a restart that is asked for again is refused by its fence, changes nothing and is no
 * effect, so that the ticket claims no repair that the run did.
 */
export function endAfterDeathOfRun(
  step: StepName,
  moment: Moment,
): { readonly resolution: 'fixed' | 'self_recovered'; readonly starts: number } {
  const place = STEP_NAMES.indexOf(step) * 3 + ['before', 'inside', 'after'].indexOf(moment);
  const tool = STEP_NAMES.indexOf('tool') * 3;
  return {
    resolution: place > tool + 1 ? 'fixed' : 'self_recovered',
    starts: place > tool ? 2 : 1,
  };
}
