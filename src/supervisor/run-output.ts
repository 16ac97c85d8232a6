import { WORKFLOWS } from '../workflows/contract';
import { activeBrain } from '../config/active-brain';
import type { HarnessConfig } from '../config/config';

/** What a person or a script needs to know once everything runs. */
export interface ReadyFacts {
  readonly tookMs: number;
  readonly webUrl: string;
  readonly temporalAddress: string;
  readonly temporalNamespace: string;
  readonly temporalUiUrl: string | null;
  readonly dataDir: string;
  readonly brain: string;
  readonly brainReason: string;
  /** Services that are not ready. */
  readonly notReady: readonly string[];
}

/** The Temporal Web UI's list of tickets; null when the server is not ours and its UI is unknown. */
function ticketListUrl(uiUrl: string | null, namespace: string): string | null {
  if (uiUrl === null) return null;
  const query = encodeURIComponent(`WorkflowType="${WORKFLOWS.remediateTicket}"`);
  return `${uiUrl}/namespaces/${encodeURIComponent(namespace)}/workflows?query=${query}`;
}

/** `http://…` as it can be opened on this machine: a wildcard host is reachable as loopback. */
export function webUrl(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${String(port)}`;
}

/** One line for people. */
export function readyLine(facts: ReadyFacts): string {
  const list = ticketListUrl(facts.temporalUiUrl, facts.temporalNamespace);
  const parts = [
    `ready in ${(facts.tookMs / 1000).toFixed(1)} s`,
    `API ${facts.webUrl}/api/v1`,
    list === null ? `Temporal ${facts.temporalAddress}` : `Temporal UI ${list}`,
    `brain: ${facts.brain} (${facts.brainReason})`,
    ...(facts.notReady.length === 0 ? [] : [`NOT READY: ${facts.notReady.join(', ')}`]),
  ];
  return parts.join(' · ');
}

/** The same for scripts: one JSON line. */
export function readyJson(facts: ReadyFacts): string {
  return JSON.stringify({
    event: 'ready',
    ready_in_ms: Math.round(facts.tookMs),
    web_url: facts.webUrl,
    api_url: `${facts.webUrl}/api/v1`,
    temporal_address: facts.temporalAddress,
    temporal_namespace: facts.temporalNamespace,
    temporal_ui_url: facts.temporalUiUrl,
    temporal_tickets_url: ticketListUrl(facts.temporalUiUrl, facts.temporalNamespace),
    data_dir: facts.dataDir,
    brain: facts.brain,
    brain_reason: facts.brainReason,
    services_not_ready: facts.notReady,
  });
}

export function brainFacts(config: HarnessConfig): Pick<ReadyFacts, 'brain' | 'brainReason'> {
  const { brains, why } = activeBrain(config);
  return { brain: brains[0], brainReason: why };
}
