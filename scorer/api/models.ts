import { z } from 'zod';
import type { BookedVersion } from '../model/book.js';
import { sendJson } from './problem.js';
import type { Route } from './route.js';
import type { ServerParts } from './server.js';

const time = z.iso.datetime();
const answer = z.object({
  model: z.string().nullable(), view: z.string(), view_version: z.int(),
  champion: z.object({ version: z.string(), family: z.string(), since: time, created_at: time, metrics: z.record(z.string(), z.number()), runtime: z.string().describe('by what it scores: ort/… is ONNX Runtime, trees/… a walk of its trees') }).nullable().describe('what serves here'),
  challenger: z.object({ version: z.string(), mode: z.enum(['shadow', 'canary']), share: z.number() }).nullable(),
  refused: z.object({ version: z.string(), reason: z.string(), at: time }).nullable().describe('the last version that did not pass its checks here'),
  versions: z.array(z.object({
    version: z.string(), status: z.enum(['champion', 'challenger', 'former_champion', 'other']), fits: z.boolean().describe('made for this scorer’s view'),
    action: z.string().optional().describe('its latest entry in the ledger'), at: time.optional(), by: z.string().optional(),
  })).describe('by the ledger and the topic, newest first'),
});

/** GET /models: what serves, what is tried beside it, what is known. */
export function routeModels({ view, holder, trial, book }: Pick<ServerParts, 'view' | 'holder' | 'trial' | 'book'>): Route[] {
  if (holder === undefined) return [];
  const iso = (at: number): string => new Date(at).toISOString();
  return [{
    method: 'get', path: '/models', role: 'reader',
    doc: { summary: 'champion, challenger and known versions', tag: 'models', answers: { 200: { what: 'the model', content: { 'application/json': answer } } } },
    handle(_res, _req, finish) {
      const { manifest: model, session } = holder.current() ?? {};
      const beside = trial?.();
      const refused = holder.failure();
      finish((res) => sendJson(res, {
        model: model?.model ?? null, view: view.name, view_version: view.version,
        champion: model === undefined ? null : { version: model.version, family: model.family, since: iso(holder.since()), created_at: iso(model.created_at), metrics: model.metrics, runtime: session!.runtime },
        challenger: beside === undefined ? null : { version: beside.model.manifest.version, mode: beside.mode, share: beside.share },
        refused: refused === undefined ? null : { version: refused.version, reason: refused.message, at: iso(refused.at) },
        versions: (book?.() ?? []).map(({ at, ...version }: BookedVersion) => ({ ...version, ...(at === undefined ? {} : { at: iso(at) }) })),
      }));
    },
  }];
}
