import { isEditTool, isToolName, mayHaveChangedSomething } from './tool';
import type { Trajectory } from './trajectory';

/** Whether a call of this ticket changed a file, or may have: one whose outcome is not known counts. */
export function mayHaveEdited({ turns }: Pick<Trajectory, 'turns'>): boolean {
  return turns
    .flatMap(({ calls }) => calls)
    .some(
      ({ call, result, startedAt }) =>
        isToolName(call.name) &&
        isEditTool(call.name) &&
        call.name !== 'undo_edits' &&
        startedAt !== null &&
        (result === null || mayHaveChangedSomething(result)),
    );
}
