import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, TidemarkError } from '../errors.js';
import { signS3, uriEncoded, type S3Credentials } from './s3-signature.js';
import type { ArtifactSettings, ArtifactStore, Content } from './store.js';

/** A request without a sign of life for so long has failed. */
const IDLE_MS_MAX = 60_000;
const RETRY_MS = [200, 1000, 4000];
/** What S3 takes in one request. */
const OBJECT_BYTES_MAX = 5 * 1024 ** 3;
const ANSWER_BYTES_MAX = 1024 ** 3;
const EMPTY_SHA256 = createHash('sha256').digest('hex');

interface Answer { readonly status: number; readonly body: Buffer }
interface Body { readonly bytes: number; readonly sha256: string; open(): Readable }

/** Objects of a bucket, addressed by path (`endpoint/bucket/prefix/key`), which every S3-compatible server takes. */
export function createS3Store(settings: ArtifactSettings, url: URL): ArtifactStore {
  const { ARTIFACTS_REGION: region, ARTIFACTS_ACCESS_KEY_ID: accessKeyId, ARTIFACTS_SECRET_ACCESS_KEY: secretAccessKey, ARTIFACTS_SESSION_TOKEN: sessionToken } = settings;
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new TidemarkError('CONFIG_INVALID', `ARTIFACTS_URL is ${url.href} without ARTIFACTS_ACCESS_KEY_ID and ARTIFACTS_SECRET_ACCESS_KEY: set both`);
  const credentials: S3Credentials = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  const endpoint = settings.ARTIFACTS_ENDPOINT ?? `https://s3.${region}.amazonaws.com`;
  const prefix = [url.hostname, ...url.pathname.split('/')].filter((part) => part !== '').map(uriEncoded).join('/');
  const ca = settings.ARTIFACTS_CA_FILE === undefined ? undefined : readCa(settings.ARTIFACTS_CA_FILE);

  const send = async (method: string, key: string, body?: Body): Promise<Answer> => {
    const target = new URL(`${endpoint.replace(/\/$/, '')}/${prefix}/${key.split('/').map(uriEncoded).join('/')}`);
    const headers = { 'content-length': String(body?.bytes ?? 0) };
    const signed = signS3({ method, url: target, headers, bodySha256: body?.sha256 ?? EMPTY_SHA256 }, credentials, region, new Date());
    const request = (target.protocol === 'https:' ? requestHttps : requestHttp)(target, { method, headers: signed, timeout: IDLE_MS_MAX, ...(ca === undefined ? {} : { ca }) });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${IDLE_MS_MAX} ms`)));
    const answered = new Promise<IncomingMessage>((resolve, reject) => request.on('response', resolve).on('error', reject));
    answered.catch(() => undefined);
    if (body === undefined) request.end();
    else await pipeline(body.open(), request);
    const response = await answered;
    return { status: response.statusCode ?? 0, body: await read(response) };
  };

  /** Tries again what may pass: no answer, too busy, broken inside. */
  const call = async (method: string, key: string, body?: Body): Promise<Answer> => {
    for (let attempt = 0; ; attempt++) {
      const pause = RETRY_MS[attempt];
      try {
        const answer = await send(method, key, body);
        if (answer.status < 300 || answer.status === 404) return answer;
        if (pause === undefined || !(answer.status === 429 || answer.status >= 500)) throw refused(answer);
      } catch (cause) {
        if (pause === undefined || cause instanceof Refusal)
          throw new TidemarkError('ARTIFACTS_UNREACHABLE', `artifacts: ${method} ${url.href}/${key} at ${new URL(endpoint).origin}: ${messageOf(cause)}; check ARTIFACTS_URL, ARTIFACTS_ENDPOINT, ARTIFACTS_REGION and the keys`, { cause });
      }
      await sleep(pause);
    }
  };

  return {
    place: url.href.replace(/\/$/, ''),
    has: async (key) => (await call('HEAD', key)).status < 300,
    async put(key, content) {
      const answer = await call('PUT', key, await bodyOf(content));
      if (answer.status === 404) throw new TidemarkError('ARTIFACTS_UNREACHABLE', `artifacts: PUT ${url.href}/${key}: ${refused(answer).message}; create the bucket`);
    },
    async get(key) {
      const { status, body } = await call('GET', key);
      return status === 404 ? undefined : body;
    },
  };
}

class Refusal extends Error {}

const refused = ({ status, body }: Answer): Refusal => {
  const text = body.toString('utf8', 0, 4000);
  const [code, message] = ['Code', 'Message'].map((name) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]);
  return new Refusal(`HTTP ${status}${code === undefined ? '' : ` ${code}: ${message ?? ''}`}`);
};

async function bodyOf(content: Content): Promise<Body> {
  const bytes = 'file' in content ? (await stat(content.file)).size : content.bytes.length;
  if (bytes > OBJECT_BYTES_MAX) throw new TidemarkError('ARTIFACTS_UNREACHABLE', `artifacts: an object of ${bytes} bytes, S3 takes ${OBJECT_BYTES_MAX} at once; lower TRAIN_ROWS_MAX`);
  return 'file' in content
    ? { bytes, sha256: content.sha256, open: () => createReadStream(content.file) }
    : { bytes, sha256: createHash('sha256').update(content.bytes).digest('hex'), open: () => Readable.from([content.bytes], { objectMode: false }) };
}

async function read(response: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    if ((bytes += part.length) > ANSWER_BYTES_MAX) throw new Refusal(`an answer of more than ${ANSWER_BYTES_MAX} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function readCa(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new TidemarkError('CONFIG_INVALID', `ARTIFACTS_CA_FILE: cannot read ${file} (${messageOf(cause)})`, { cause });
  }
}
