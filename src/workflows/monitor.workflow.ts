import { actOnSweep } from './act-on-sweep';
import { sweep } from './proxies';

/** One sweep over everything; started by the schedule every few seconds. */
export async function Monitor(): Promise<{ readonly checked: number; readonly incidents: number }> {
  const report = await sweep.checkInvariants.executeWithOptions({ summary: 'check every invariant' }, [
    { scope: { kind: 'all' }, confirmed: false, includeChecks: false },
  ]);
  await actOnSweep(report);
  return { checked: report.checked, incidents: report.incidents.length };
}
