import type { Replay } from './main.js';

const verdict = (equal: boolean): string => (equal ? 'equal' : 'DIFFERENT');
const time = (ms: number): string => new Date(ms).toISOString();

function runtimeLines({ stored, again, equal }: Replay['runtime'], trained: string): string[] {
  if (equal) return [`runtime    ${again}, as when it was scored`];
  const warning = stored === '' ? `WARNING: by what it was scored was not recorded then; its model was trained with ${trained}` : `WARNING: it was scored by ${stored}: another runtime may round otherwise`;
  return [`runtime    ${again}`, `           ${warning}`];
}

/** The answer of `tidemark replay-prediction` for people. */
export function reportOf({ prediction, model, runtime, trained_with, score, decision, features, events, equal }: Replay): string {
  const width = Math.max(...features.map(({ feature }) => feature.length), 8);
  const cause = prediction.trigger === 'event' ? `event ${prediction.event_id}` : 'a sweep';
  return [
    `prediction ${prediction.prediction_id} of ${prediction.customer_id}, ${cause}, ${time(prediction.event_time)}`,
    `model      ${model.model} ${model.version} (${model.family}), sha256 ${model.onnx_sha256.slice(0, 16)}…, from ${model.source === 'models' ? 'the topic models' : 'the artifact store'}`,
    ...runtimeLines(runtime, trained_with),
    `score      ${score.stored}  again ${score.again}  ${verdict(score.equal)}${prediction.degraded ? ', degraded' : ''}`,
    `decision   ${decision.stored}  again ${decision.again}  ${decision.equal ? 'equal' : 'DIFFERENT (another DECISION_THRESHOLD now, or another score)'}`,
    typeof events === 'string' ? `events     ${events}`
      : `events     ${events.records} records in the order of arrival, until ${events.until.event_id} at offset ${events.until.kafka_offset} (${events.duplicates} duplicates, ${events.too_late} too late)`,
    ...features.map(({ feature, stored, again, equal: same }) => `  ${feature.padEnd(width)}  ${same ? `${stored}  equal` : `${stored}  again ${again}  DIFFERENT`}`),
    equal ? 'equal, bit for bit' : typeof events === 'string' && score.equal ? 'equal as far as it could be computed' : 'DIFFERENT',
    '',
  ].join('\n');
}
