import { Agent } from 'node:https';
// The package's index loads every key-management and rule SDK (1 s, 77 MB); its client alone takes 0.14 s.
import { SchemaRegistryClient } from '@confluentinc/schemaregistry/dist/schemaregistry-client.js';
import type { ClientConfig } from '@confluentinc/schemaregistry/dist/rest-service.js';
import type { Log } from '../log.js';
import { messageOf, TidemarkError } from '../errors.js';
import { readPem } from '../pem.js';
import type { Settings } from '../settings.js';

const REQUEST_TIMEOUT_MS = 5000;
const RESPONSE_BYTES_MAX = 8 * 1024 * 1024;

export interface Registry {
  /** Address for messages, without credentials. */
  readonly url: string;
  readonly client: SchemaRegistryClient;
  readonly log: Log;
}

/** @param settings SCHEMA_REGISTRY_URL unset means the embedded registry on its port */
export function createRegistry(settings: Settings, log: Log): Registry {
  const base = new URL(settings.SCHEMA_REGISTRY_URL ?? `http://127.0.0.1:${settings.SCHEMA_REGISTRY_PORT}/apis/ccompat/v7`);
  const user = settings.SCHEMA_REGISTRY_USERNAME ?? decodeURIComponent(base.username);
  const password = settings.SCHEMA_REGISTRY_PASSWORD ?? decodeURIComponent(base.password);
  base.username = base.password = '';
  const url = base.href.replace(/\/+$/, '');
  const loopback = ['127.0.0.1', 'localhost', '[::1]'].includes(base.hostname);
  const config: ClientConfig = {
    baseURLs: [url],
    cacheCapacity: 1000,
    maxRetries: 3,
    retriesWaitMs: 100,
    retriesMaxWaitMs: 1000,
    createAxiosDefaults: {
      timeout: REQUEST_TIMEOUT_MS,
      maxContentLength: RESPONSE_BYTES_MAX,
      // A proxy from the environment is for other hosts.
      ...(loopback ? { proxy: false as const } : {}),
      ...(settings.SCHEMA_REGISTRY_CA_FILE === undefined ? {} : { httpsAgent: new Agent({ ca: readPem('SCHEMA_REGISTRY_CA_FILE', settings.SCHEMA_REGISTRY_CA_FILE) }) }),
    },
    ...(user === '' ? {} : { basicAuthCredentials: { credentialsSource: 'USER_INFO', userInfo: `${user}:${password}` } }),
  };
  return { url, client: new SchemaRegistryClient(config), log };
}

/** The HTTP status of a registry's answer; undefined where there was none. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as { status?: unknown }).status;
  return typeof status === 'number' ? status : undefined;
}

/** The error of a request that the registry did not answer, or answered with what no caller can use. */
export function registryFailure(registry: Registry, what: string, error: unknown): TidemarkError {
  const status = statusOf(error);
  const advice = status === 401 || status === 403
    ? 'check SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD'
    : 'check SCHEMA_REGISTRY_URL (Confluent API) and that the registry is up';
  // Only the message goes on: the client's own error carries the request with its credentials.
  return new TidemarkError('REGISTRY_UNREACHABLE',
    `schema registry ${registry.url}: ${what}: ${status === undefined ? '' : `HTTP ${status}, `}${messageOf(error)}; ${advice}`);
}
