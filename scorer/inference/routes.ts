import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { z } from 'zod';
import { TidemarkError } from '../../runtime/errors.js';
import { BATCH_BYTES_MAX } from '../api/batch.js';
import { BODY_BYTES_MAX, readBytes, type BodyRule } from '../api/body.js';
import { beginAnswer, FAILED, isProblem, NOT_READY, OVERLOADED, sendJson, TITLES, type Problem, type TaggedResponse } from '../api/problem.js';
import type { Finish, Route, RouteDoc } from '../api/route.js';
import type { ServerParts } from '../api/server.js';
import { INPUT_NAME, InferError } from './core/request.js';
import { ELEMENT_TYPES } from './core/tensors.js';
import { bytesOf, infer } from './infer.js';

const RULE: BodyRule = { bytesMax: BATCH_BYTES_MAX, type: /^(?:$|application\/(?:json|octet-stream|vnd\.[\w.+-]+\+json)\s*(?:;|$))/i, typeName: 'application/json or application/octet-stream' };

const failure = z.looseObject({ error: z.string() });
const failures = (...statuses: readonly Problem['status'][]): RouteDoc['answers'] => Object.fromEntries(statuses.map((status) => [status, { what: TITLES[status], content: { 'application/json': failure } }]));
const tensor = z.looseObject({ name: z.string(), datatype: z.string(), shape: z.array(z.int()) });
const metadata = z.object({ name: z.string(), versions: z.array(z.string()), platform: z.string(), inputs: z.array(tensor), outputs: z.array(tensor) });
const response = z.looseObject({ model_name: z.string(), model_version: z.string(), outputs: z.array(tensor) });
const request = z.looseObject({
  id: z.string().max(256).optional(),
  inputs: z.array(z.looseObject({ name: z.literal(INPUT_NAME), datatype: z.enum(Object.keys(ELEMENT_TYPES)), shape: z.array(z.int().min(1)).min(1).max(2), data: z.array(z.unknown()).optional() })).length(1),
  outputs: z.array(z.looseObject({ name: z.enum(['score', 'decision']) })).optional(),
});

/** The Open Inference Protocol, version 2, with its extension for binary tensors: what KServe and Triton clients speak. */
export function routeInference(parts: Pick<ServerParts, 'view' | 'holder' | 'bulk' | 'apiLog' | 'log' | 'threshold' | 'model'>): Route[] {
  const { view, holder, bulk, apiLog, log, threshold = 0.5, model: name = 'churn' } = parts;
  if (holder === undefined || bulk === undefined) return [];
  const current = holder.current.bind(holder);
  const server = { name: 'tidemark', version: '2', extensions: ['binary_tensor_data'] };

  /** What is wrong with the model or version that a path names; undefined where it serves. */
  function unserved(model: string, version: string | undefined): Problem | undefined {
    if (model !== name) return { status: 404, code: 'NOT_FOUND', detail: `there is no model ${JSON.stringify(model.slice(0, 100))}, only ${name}` };
    const serving = current();
    if (serving === undefined) return NOT_READY;
    return version === undefined || version === serving.manifest.version ? undefined : { status: 404, code: 'NOT_FOUND', detail: `version ${JSON.stringify(version.slice(0, 100))} of ${name} does not serve, ${serving.manifest.version} does` };
  }
  const named = (req: HttpRequest, versioned: boolean): [string, string | undefined] => [decode(req.getParameter(0)), versioned ? decode(req.getParameter(1)) : undefined];

  const of = (versioned: boolean): Route[] => {
    const base = versioned ? '/v2/models/:name/versions/:version' : '/v2/models/:name';
    const path = { name: z.string().meta({ examples: [name] }), ...(versioned ? { version: z.string() } : {}) };
    const doc = (summary: string, answers: RouteDoc['answers']): RouteDoc => ({ summary, tag: 'open inference protocol', path, answers });
    return [
      {
        method: 'get', path: base, role: 'reader', doc: doc('inputs and outputs of the model', { 200: { what: 'metadata', content: { 'application/json': metadata } }, ...failures(404, 503) }),
        handle(_res, req, finish) {
          const wrong = unserved(...named(req, versioned));
          finish((res) => (wrong !== undefined ? refuse(res, wrong) : sendJson(res, {
            name, versions: [current()!.manifest.version], platform: 'onnxruntime_onnx',
            inputs: [{ name: INPUT_NAME, datatype: 'FP32', shape: [-1, view.features.length] }], outputs: [{ name: 'score', datatype: 'FP32', shape: [-1] }, { name: 'decision', datatype: 'BYTES', shape: [-1] }],
          })));
        },
      },
      {
        method: 'get', path: `${base}/ready`, role: 'public', doc: doc('whether the model serves', { 200: { what: 'it does', content: { 'application/json': z.object({ name: z.string(), ready: z.boolean() }) } }, ...failures(404, 503) }),
        handle(_res, req, finish) {
          const wrong = unserved(...named(req, versioned));
          finish((res) => (wrong === undefined ? sendJson(res, { name, ready: true }) : refuse(res, wrong)));
        },
      },
      {
        method: 'post', path: `${base}/infer`, role: 'scorer',
        doc: {
          ...doc('scores of a tensor of rows', { 200: { what: 'scores', content: { 'application/json': response, 'application/octet-stream': 'bytes' } }, ...failures(400, 404, 413, 415, 503) }),
          description: 'Values may stand in the JSON, or follow it as bytes (inference-header-content-length, binary_data_size); outputs come the same way where binary_data asks for it. Errors are {"error"}, as the protocol says.',
          body: { 'application/json': request, 'application/octet-stream': 'bytes' },
        },
        handle(res: TaggedResponse, req, finish) {
          const wrong = unserved(...named(req, versioned));
          if (wrong !== undefined) return finish((r) => refuse(r, wrong));
          takeInfer(res, req, finish);
        },
      },
    ];
  };

  function takeInfer(res: TaggedResponse, req: HttpRequest, finish: Finish): void {
    const given = req.getHeader('inference-header-content-length');
    const encoding = req.getHeader('content-encoding');
    if (encoding !== '' && encoding !== 'identity') return finish((r) => refuse(r, { status: 415, code: 'INPUT_INVALID', detail: `content-encoding ${encoding.slice(0, 40)} is not taken: send the body as it is` }));
    const declared = req.getHeader('content-length');
    const held = declared === '' ? BATCH_BYTES_MAX : Math.min(BATCH_BYTES_MAX, Number(declared) || 0);
    if (!bulk!.hold(held)) return finish((r) => refuse(r, OVERLOADED));
    let open = true;
    const release = (): void => {
      if (open) bulk!.release(held);
      open = false;
    };
    res.whenAborted = release;
    readBytes(res, req, RULE, (bytes, problem) => {
      if (bytes === undefined) {
        release();
        return finish((r) => refuse(r, problem!));
      }
      const headerLength = given === '' ? bytes.length : /^\d{1,9}$/.test(given) ? Number(given) : -1;
      if (headerLength < 0 || headerLength > bytes.length) {
        release();
        return finish((r) => refuse(r, { status: 400, code: 'INPUT_INVALID', detail: `inference-header-content-length is ${given.slice(0, 20)}, the body has ${bytes.length} bytes` }));
      }
      if (bytes.length <= BODY_BYTES_MAX) {
        release();
        return now(bytes, headerLength, res.requestId ?? '', finish);
      }
      bulk!.run('infer', new Uint8Array(bytes), res.requestId ?? '', headerLength).then((done) => finish((r) => (isProblem(done) ? refuse(r, done) : send(r, done.bytes, done.headerLength ?? done.bytes.length))), (error: unknown) => {
        log.error('request_failed', error, { path: '/v2/infer', request_id: res.requestId });
        finish((r) => refuse(r, FAILED));
      }).finally(release);
    });
  }

  /** A small request is answered in this turn: no longer a call to the model than one of the stream's chunks. */
  function now(bytes: Uint8Array, headerLength: number, requestId: string, finish: Finish): void {
    const serving = current();
    if (serving === undefined) return finish((r) => refuse(r, NOT_READY));
    try {
      const done = infer(bytes, headerLength, { session: serving.session, version: serving.manifest.version, viewVersion: view.version, threshold, name }, requestId, apiLog);
      const whole = bytesOf(done.answer);
      finish((r) => send(r, whole.bytes, whole.headerLength));
    } catch (error) {
      if (error instanceof InferError) return finish((r) => refuse(r, { status: 400, code: 'INPUT_INVALID', detail: error.message }));
      if (!(error instanceof TidemarkError)) throw error;
      log.error('predict_failed', error);
      finish((r) => refuse(r, FAILED));
    }
  }

  return [
    {
      method: 'get', path: '/v2', role: 'public', doc: { summary: 'server metadata', tag: 'open inference protocol', answers: { 200: { what: 'name, version, extensions', content: { 'application/json': z.object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) }) } } } },
      handle: (_res, _req, finish) => finish((res) => sendJson(res, server)),
    },
    {
      method: 'get', path: '/v2/health/live', role: 'public', doc: { summary: 'the process answers', tag: 'open inference protocol', answers: { 200: { what: 'it does', content: { 'application/json': z.object({ live: z.boolean() }) } } } },
      handle: (_res, _req, finish) => finish((res) => sendJson(res, { live: true })),
    },
    {
      method: 'get', path: '/v2/health/ready', role: 'public', doc: { summary: 'a model serves', tag: 'open inference protocol', answers: { 200: { what: 'it does', content: { 'application/json': z.object({ ready: z.boolean() }) } }, ...failures(503) } },
      handle: (_res, _req, finish) => finish((res) => (current() === undefined ? refuse(res, NOT_READY) : sendJson(res, { ready: true }))),
    },
    ...of(false), ...of(true),
  ];
}

function send(res: HttpResponse, bytes: Uint8Array<ArrayBuffer>, headerLength: number): void {
  beginAnswer(res, '200 OK');
  if (headerLength === bytes.length) res.writeHeader('content-type', 'application/json');
  else res.writeHeader('content-type', 'application/octet-stream').writeHeader('inference-header-content-length', String(headerLength));
  res.end(bytes);
}

/** An error as the protocol says it, with what our own problems carry. */
function refuse(res: HttpResponse, { status, code, detail, retryAfterS }: Problem): void {
  beginAnswer(res, `${status} ${TITLES[status]}`).writeHeader('content-type', 'application/json');
  if (retryAfterS !== undefined) res.writeHeader('retry-after', String(retryAfterS));
  res.end(JSON.stringify({ error: detail, status, code }));
}

function decode(text: string | undefined): string {
  try {
    return decodeURIComponent(text ?? '');
  } catch {
    return text ?? '';
  }
}
