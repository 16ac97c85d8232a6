import { describeCrashes } from '../support/crash-matrix';

describeCrashes('temporal', () => ({ resolution: 'fixed', starts: 1 }));
