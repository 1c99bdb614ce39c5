import { createHash } from 'node:crypto';
import { messageOf, TidemarkError } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import { decide, type DeciderOptions } from '../../runtime/models/decide.js';
import type { Settings } from '../../runtime/settings.js';
import type { RetrainEvent } from '../../schemas/events/retrain-event.js';
import { trainCandidate } from '../candidate.js';
import type { Entrance } from '../core/gate/card.js';
import { entranceSettings, isAnswered, refusalOf } from '../gate/decision.js';
import { deliver } from '../gate/deliver.js';
import { ATTEMPTS_MAX, type Attempts } from './attempts.js';
import { failureKind, pauseMs } from './core/failure.js';

export interface AnswerContext {
  readonly settings: Settings;
  readonly log: Log;
  readonly decider: DeciderOptions;
  readonly attempts: Attempts;
  /** Waits so long, or less where the service is to end. */
  pause(ms: number): Promise<void>;
  stopping(): boolean;
  /** Told why the event still waits; undefined once it does not. */
  trouble(message: string | undefined): void;
}

/** How an event came out; `answered`: by somebody else. */
export type Answer = Entrance | 'answered' | 'stopped';
const BY = 'trainer';

/** The same event is the same training, however often it is begun. */
export const runIdOf = (retrain_event_id: string): string => `retrain-${createHash('sha256').update(retrain_event_id).digest('hex').slice(0, 24)}`;

/**
 * Trains for one event until it is answered in the ledger: by a version, or by a refusal with its reason. What is away is
 * waited for; what fails otherwise is tried again a few times and then refused.
 */
export async function answerEvent(context: AnswerContext, event: RetrainEvent): Promise<Answer> {
  const { log, pause, stopping, trouble, attempts } = context;
  let failures = 0;
  let waits = 0;
  let begun = 0;
  const refuse = (error: unknown): Promise<Answer> => refuseEvent(context, event, error);
  let work: () => Promise<Answer> = () => {
    begun = attempts.begin(event.event_id);
    return begun > ATTEMPTS_MAX
      ? refuse(new TidemarkError('INTERNAL', `the trainer ended ${ATTEMPTS_MAX} times while it trained for this event`))
      : trainFor(context, event);
  };
  while (!stopping()) {
    try {
      const answer = await work();
      attempts.end(event.event_id);
      trouble(undefined);
      return answer;
    } catch (error) {
      const kind = failureKind(error instanceof TidemarkError ? error.code : undefined, failures + 1);
      log.error('retrain_failed', error, { retrain_event_id: event.event_id, next: kind, failures });
      if (kind === 'refuse') {
        work = () => refuse(error);
        continue;
      }
      trouble(messageOf(error));
      if (kind === 'again') failures++;
      else attempts.end(event.event_id); // nobody died of it
      await pause(pauseMs(++waits));
    }
  }
  return 'stopped';
}

async function trainFor({ settings, log, decider }: AnswerContext, event: RetrainEvent): Promise<Answer> {
  const candidate = await trainCandidate(settings, log, { run_id: runIdOf(event.event_id), retrain_event_id: event.event_id });
  const delivered = await deliver(settings, decider, candidate, {
    by: BY, ...entranceSettings(settings), force: false, retrain_event_id: event.event_id, asked_because: event.explanation,
  });
  return delivered?.card.decision.entrance ?? 'answered';
}

async function refuseEvent({ decider, log }: AnswerContext, event: RetrainEvent, error: unknown): Promise<Answer> {
  const code = error instanceof TidemarkError ? error.code : 'INTERNAL';
  const reason = `${code}: ${messageOf(error)}`;
  const entry = refusalOf({ model: event.model, at: Date.now() }, reason, { code, reason: event.reason }, { by: BY, retrain_event_id: event.event_id });
  const written = await decide(decider, event.model, (entries) => (isAnswered(entries, event.event_id) ? undefined : { entries: [entry] }));
  log.info('retrain_refused', { retrain_event_id: event.event_id, reason });
  return written === undefined ? 'answered' : 'refused';
}
