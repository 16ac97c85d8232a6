import { describeCrashes } from '../support/crash-matrix';

describeCrashes('agent', () => ({ resolution: 'fixed', starts: 1 }));
