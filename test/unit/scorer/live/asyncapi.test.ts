import t from 'tap';
import { startTestScorer } from '../../../support/scorer.js';

t.test('GET /asyncapi.json: an AsyncAPI 3 document whose references hold', async (t) => {
  const { url, port } = await startTestScorer(t);
  const answer = await fetch(`${url}/asyncapi.json`);
  t.match(answer.headers.get('content-type'), /^application\/json/);
  const text = await answer.text();
  const document = JSON.parse(text) as Record<string, unknown>;
  t.match(document, {
    asyncapi: '3.0.0', servers: { websocket: { host: `127.0.0.1:${port}`, protocol: 'ws' } }, channels: { ws: { address: '/ws' }, stream: { address: '/stream' } },
    operations: { ask: { action: 'receive' }, tell: { action: 'send' }, stream: { action: 'send' } },
  });
  const at = (pointer: string): unknown => pointer.slice(2).split('/').reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], document);
  const refs = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref!);
  t.ok(refs.length > 20);
  t.strictSame(refs.filter((ref) => at(ref) === undefined), []);
  const { messages } = document['components'] as { messages: Record<string, { payload: { properties: object; required: string[]; additionalProperties?: boolean } }> };
  t.strictSame(Object.keys(messages), ['subscribe', 'unsubscribe', 'ping', 'subscribed', 'snapshot', 'live', 'score', 'gap', 'unsubscribed', 'pong', 'error']);
  t.strictSame(Object.keys(messages['subscribe']!.payload.properties), ['type', 'subscription', 'customer', 'segment', 'model_version', 'threshold', 'crossing', 'hysteresis', 'sample', 'snapshot', 'since']);
  t.ok(messages['score']!.payload.required.includes('seq') && messages['score']!.payload.additionalProperties === false);
});
