import { describeCrashes } from '../support/crash-matrix';
import { endAfterDeathOfRun } from '../support/death-of-a-run';

describeCrashes('supervisor', endAfterDeathOfRun);
