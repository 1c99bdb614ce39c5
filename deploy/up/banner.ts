import type { Settings } from '../../runtime/settings.js';
import { TOPICS } from '../../schemas/topics.js';
import { localHost } from '../endpoints.js';

/** Where everything is, once it runs. */
export function banner(settings: Settings, what: { readonly embedded: ReadonlySet<string>; readonly modelThere: boolean }): string {
  const { embedded, modelThere } = what;
  const scorer = `http${settings.SCORER_TLS_CERT_FILE === undefined ? '' : 's'}://${localHost(settings.SCORER_HOST)}:${settings.SCORER_PORT}`;
  const own = (variable: string): string => (embedded.has(variable) ? '' : `  (yours, ${variable})`);
  const rows: readonly (readonly [string, string])[] = [
    ['live page', `${scorer}/`],
    ['live scores', `${scorer.replace('http', 'ws')}/ws`],
    ['REST', `${scorer}/predict  ${scorer}/customers/ID  ${scorer}/health  ${scorer}/metrics`],
    ['publish to', `${TOPICS.events.name} on ${settings.KAFKA_BROKERS}${own('KAFKA_BROKERS')}`],
    ['schemas', `${settings.SCHEMA_REGISTRY_URL}${own('SCHEMA_REGISTRY_URL')}`],
    ['SQL', `${withoutCredentials(settings.CLICKHOUSE_URL)}${own('CLICKHOUSE_URL')}  database ${settings.CLICKHOUSE_DATABASE}  (tidemark sql "…")`],
    ['data, logs', settings.DATA_DIR],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    '',
    'Tidemark is up.',
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    modelThere ? '  Ctrl-C stops it; the next start goes on where this one ended.' : '  There is no model yet, so nothing is scored: tidemark train makes one from the events that have landed.',
    '',
  ].join('\n');
}

function withoutCredentials(address: string | undefined): string {
  if (address === undefined) return '';
  const url = new URL(address);
  url.username = url.password = '';
  return url.href.replace(/\/$/, '');
}
