import { describeCrashes } from '../support/crash-matrix';

describeCrashes('monitor', () => ({ resolution: 'fixed', starts: 1 }));
