import { createAuditLog } from '../../clickhouse/audit.js';
import { TidemarkError } from '../../runtime/errors.js';
import type { Stoppable } from '../../runtime/lifecycle.js';
import type { Log } from '../../runtime/log.js';
import type { Settings } from '../../runtime/settings.js';
import type { Registry } from 'prom-client';
import type { Audit } from '../api/audited.js';
import type { Guard } from '../api/route.js';
import { normalAddress } from './core/address.js';
import type { BucketOptions } from './core/buckets.js';
import { KEYS_MAX } from './core/key.js';
import { exposureProblem } from './core/exposure.js';
import { parseOrigins } from './core/origin.js';
import { createGuard } from './guard.js';
import { keysFile } from './key-file.js';
import { openKeyStore } from './key-store.js';
import { createSecurityMetrics } from './metrics.js';
import { createListen, type Listen } from './transport.js';

/** Addresses whose rate is remembered: about 12 MB. */
const ADDRESSES_MAX = 65_536;
/** Time between two looks whether what is open may stay open. */
const WATCH_MS = 1000;

export interface Security extends Stoppable {
  readonly guard: Guard;
  readonly audit: Audit;
  readonly listen: Listen;
}

/**
 * What stands before the API, as the settings say.
 * @throws TidemarkError CONFIG_INVALID where others could reach it without keys or TLS, or a file cannot be used
 */
export async function openSecurity(settings: Settings, log: Log, register: Registry, options: { lookMs?: number } = {}): Promise<Security> {
  const { SCORER_TLS_CERT_FILE: cert, SCORER_TLS_KEY_FILE: key, SCORER_TLS_CLIENT_CA_FILE: clientCa } = settings;
  const certificate = cert === undefined || key === undefined ? undefined : { cert, key, clientCa };
  const metrics = createSecurityMetrics(register);
  const keys = await openKeyStore(keysFile(settings), log, options);
  const tls = certificate !== undefined;
  const problem = exposureProblem({ host: settings.SCORER_HOST, tls, keys: keys.on, insecureAllowed: settings.SCORER_ALLOW_INSECURE });
  if (problem !== undefined) {
    await keys.stop();
    throw new TidemarkError('CONFIG_INVALID', problem);
  }
  const auditLog = createAuditLog({ settings, log, service: 'scorer' });
  metrics.audit(() => auditLog.stats);
  const guard = createGuard({
    keys, tls, metrics, log, monotonic: () => performance.now(), lookMs: options.lookMs ?? WATCH_MS,
    origins: settings.SCORER_CORS_ORIGINS === undefined ? undefined : parseOrigins(settings.SCORER_CORS_ORIGINS),
    proxies: new Set((settings.SCORER_TRUSTED_PROXIES ?? '').split(',').flatMap((one) => normalAddress(one.trim()) ?? [])),
    keyLimit: limitOf(settings.SCORER_KEY_RATE_PER_S, settings.SCORER_KEY_BURST, KEYS_MAX),
    addressLimit: limitOf(settings.SCORER_ADDRESS_RATE_PER_S, settings.SCORER_ADDRESS_BURST, ADDRESSES_MAX),
  });
  return {
    guard,
    audit: ({ status, ...request }) => auditLog.record({ ...request, detail: { status } }),
    listen: createListen({ certificate, connectionsMax: settings.SCORER_CONNECTIONS_MAX, metrics, log, ...options }),
    async stop() {
      guard.stop();
      await keys.stop();
      await auditLog.stop();
    },
  };
}

function limitOf(ratePerS: number, burst: number, bucketsMax: number): BucketOptions | undefined {
  return ratePerS === 0 ? undefined : { ratePerS, burst: Math.max(1, burst === 0 ? 2 * ratePerS : burst), bucketsMax };
}
