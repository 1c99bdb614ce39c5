import { existsSync } from 'node:fs';
import { TidemarkError } from '../runtime/errors.js';
import type { Settings } from '../runtime/settings.js';
import { customerActivity as view } from '../schemas/features/customer-activity.js';
import { predictionsAvro } from '../schemas/features/derive.js';
import { customerJson, predictionReader } from './store/prediction.js';
import { onlineStoreFolder } from './store/folder.js';
import { readOnline } from './store/online-store.js';

export interface LatestFeatures {
  /** The running scorer, or the store that it left on disk. */
  readonly source: 'scorer' | 'store';
  /** As GET /customers/:id answers: score, stamps, and `features` by name, missing ones null. */
  readonly customer: Readonly<Record<string, unknown>>;
}

const TIMEOUT_MS = 3000;

/**
 * The latest vector of a customer: from the scorer where one runs, else from its online store.
 * @throws TidemarkError NOT_FOUND where the customer is unknown or no scorer has run in this DATA_DIR
 */
export async function latestFeatures(settings: Settings, customerId: string): Promise<LatestFeatures> {
  const running = await askScorer(settings, customerId);
  if (running !== undefined) return { source: 'scorer', customer: running };
  const folder = onlineStoreFolder(settings, view);
  if (!existsSync(folder)) throw new TidemarkError('NOT_FOUND', `no scorer answers at ${address(settings)} and there is no online store in ${folder}: start one with \`tidemark scorer\`, or set DATA_DIR to where it ran`);
  const framed = await readOnline({ folder, layout: predictionsAvro(view) }, customerId);
  if (framed === undefined) throw unknown(customerId, `the online store in ${folder} (of the scorer with INSTANCE ${settings.INSTANCE})`);
  return { source: 'store', customer: customerJson(view, predictionReader(view)(framed)) };
}

const unknown = (customerId: string, where: string): TidemarkError =>
  new TidemarkError('NOT_FOUND', `customer ${JSON.stringify(customerId)} is not in ${where}: no event of theirs has been scored there`);

/** A scorer that listens on every address is asked on the loopback one. */
function address({ SCORER_HOST: host, SCORER_PORT: port, SCORER_TLS_CERT_FILE: certificate }: Settings): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http${certificate === undefined ? '' : 's'}://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

/** @returns undefined where nothing answers there as a scorer does */
async function askScorer(settings: Settings, customerId: string): Promise<Record<string, unknown> | undefined> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(`${address(settings)}/customers/${encodeURIComponent(customerId)}`, {
      signal: AbortSignal.timeout(TIMEOUT_MS), headers: settings.SCORER_API_KEY === undefined ? {} : { authorization: `Bearer ${settings.SCORER_API_KEY}` },
    });
    body = await response.json();
  } catch {
    return undefined;
  }
  const { code, features } = body as { code?: unknown; features?: unknown };
  if (response.ok && features !== undefined) return body as Record<string, unknown>;
  if (code === 'NOT_FOUND') throw unknown(customerId, `the scorer’s online store at ${address(settings)}`);
  if (code === 'INPUT_INVALID') throw new TidemarkError('INPUT_INVALID', String((body as { detail?: unknown }).detail));
  return undefined;
}
