import { messageOf, TidemarkError } from '../../runtime/errors.js';
import type { Settings } from '../../runtime/settings.js';

export type MlflowSettings = Pick<Settings, 'MLFLOW_TRACKING_URI' | 'MLFLOW_TRACKING_TOKEN' | 'MLFLOW_TRACKING_USERNAME' | 'MLFLOW_TRACKING_PASSWORD' | 'MLFLOW_EXPERIMENT_NAME'>;

/** A call's answer; undefined where MLflow says that the thing is not there, or is there already. */
export type Answer = Readonly<Record<string, unknown>>;

export interface MlflowClient {
  /** @returns undefined on RESOURCE_DOES_NOT_EXIST */
  get(path: string, query?: Readonly<Record<string, string>>): Promise<Answer | undefined>;
  /** @returns undefined on RESOURCE_ALREADY_EXISTS and RESOURCE_DOES_NOT_EXIST */
  send(method: 'POST' | 'DELETE', path: string, body: object): Promise<Answer | undefined>;
  /** Puts a file where a run's `artifact_uri` says. @returns false where the server does not take artifacts for that place */
  upload(artifact_uri: string, path: string, bytes: Uint8Array): Promise<boolean>;
}

const CALL_MS_MAX = 10_000;
const UPLOAD_MS_MAX = 120_000;
const PASSED_OVER = new Set(['RESOURCE_ALREADY_EXISTS', 'RESOURCE_DOES_NOT_EXIST']);

/** MLflow's REST API. Its methods throw MLFLOW_UNREACHABLE. @param signal ends calls that are under way */
export function createMlflow(settings: MlflowSettings, signal?: AbortSignal): MlflowClient {
  const base = settings.MLFLOW_TRACKING_URI!.replace(/\/+$/, '');
  const headers = authorization(settings);
  const call = async (url: string, init: RequestInit, msMax: number): Promise<Response> => {
    const timeout = AbortSignal.timeout(msMax);
    try {
      return await fetch(url, { ...init, headers: { ...headers, ...init.headers as Record<string, string> }, signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]) });
    } catch (cause) {
      throw failed(url, cause instanceof Error && cause.cause !== undefined ? messageOf(cause.cause) : messageOf(cause), cause);
    }
  };
  const api = async (path: string, init: RequestInit): Promise<Answer | undefined> => {
    const response = await call(`${base}/api/2.0/mlflow/${path}`, init, CALL_MS_MAX);
    const text = await response.text();
    const answer = parsed(text);
    if (response.ok && answer !== undefined) return answer;
    if (PASSED_OVER.has(String(answer?.['error_code']))) return undefined;
    throw failed(response.url, `HTTP ${response.status} ${answer === undefined ? text.slice(0, 200) : `${String(answer['error_code'])}: ${String(answer['message'])}`}`);
  };
  const json = { 'content-type': 'application/json' };
  return {
    get: (path, query = {}) => api(`${path}?${new URLSearchParams(query).toString()}`, { method: 'GET' }),
    send: (method, path, body) => api(path, { method, headers: json, body: JSON.stringify(body) }),
    async upload(artifact_uri, path, bytes) {
      const url = artifactUrl(base, artifact_uri);
      if (url === undefined) return false;
      const response = await call(`${url}/${path}`, { method: 'PUT', body: bytes, headers: { 'content-type': 'application/octet-stream' } }, UPLOAD_MS_MAX);
      if (!response.ok) throw failed(response.url, `HTTP ${response.status} ${(await response.text()).slice(0, 200)}`);
      return true;
    },
  };
}

/** Where the server takes artifacts itself (`mlflow server --serve-artifacts`, the default); undefined for s3://, file paths and the like. */
export function artifactUrl(base: string, artifact_uri: string): string | undefined {
  const [, authority, path] = /^mlflow-artifacts:(?:\/\/([^/]*))?(\/.*)$/.exec(artifact_uri) ?? [];
  if (path !== undefined) {
    const host = authority === undefined || authority === '' ? base : `${new URL(base).protocol}//${authority}`;
    return `${host}/api/2.0/mlflow-artifacts/artifacts${path}`;
  }
  return /^https?:\/\//.test(artifact_uri) && artifact_uri.includes('/mlflow-artifacts/artifacts') ? artifact_uri : undefined;
}

export function authorization({ MLFLOW_TRACKING_TOKEN: token, MLFLOW_TRACKING_USERNAME: user, MLFLOW_TRACKING_PASSWORD: password }: MlflowSettings): Record<string, string> {
  if (user !== undefined && password !== undefined) return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

function parsed(text: string): Answer | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null ? answer as Answer : undefined;
  } catch {
    return undefined;
  }
}

const failed = (url: string, why: string, cause?: unknown): TidemarkError =>
  new TidemarkError('MLFLOW_UNREACHABLE', `MLflow ${new URL(url).origin}${new URL(url).pathname}: ${why}; check MLFLOW_TRACKING_URI and its token or user`, { cause });
