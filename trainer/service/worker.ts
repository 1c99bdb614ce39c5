import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import { endOpenDecision, type DeciderOptions } from '../../runtime/models/decide.js';
import { readLedger } from '../../runtime/models/ledger.js';
import type { Settings } from '../../runtime/settings.js';
import type { RetrainEvent } from '../../schemas/events/retrain-event.js';
import { answerEvent, type Answer } from './answer.js';
import { createAttempts } from './attempts.js';
import { pauseMs } from './core/failure.js';
import { pendingEvents } from './core/pending.js';

export interface Worker {
  /** In the order of the topic; which of them are answered is looked up. */
  add(event: RetrainEvent): void;
  /** All events before are void. */
  clear(): void;
  state(): { readonly pending: number; readonly training: boolean; readonly trouble: string | undefined };
  /** Begins nothing more. A training under way is left: it is done again at the next start. */
  stop(): void;
}

export interface WorkerOptions {
  readonly settings: Settings;
  readonly log: Log;
  readonly decider: DeciderOptions;
  onAnswer(answer: Answer, seconds: number): void;
  /** The worker cannot go on. */
  fail(error: unknown): void;
}

/** Answers one event after the other: the ledger is read before each, so what others answered is not trained for. */
export function startWorker({ settings, log, decider, onAnswer, fail }: WorkerOptions): Worker {
  const model = settings.MODEL_NAME;
  const abort = new AbortController();
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: abort.signal }).catch(() => undefined);
  const attempts = createAttempts(settings);
  let events: RetrainEvent[] = [];
  let pending = 0;
  let training = false;
  let trouble: string | undefined;
  let wake = (): void => undefined;
  let woken = true;
  let cleared = false;

  const look = async (): Promise<RetrainEvent | undefined> => {
    if (!cleared) await endOpenDecision(decider, model); // this process's predecessor may have been killed in the middle of one
    cleared = true;
    const { entries } = await readLedger({ ...decider, codec: decider.ledger, model });
    const open = pendingEvents(events, entries, model);
    pending = open.length;
    return open[0];
  };
  const answer = async (event: RetrainEvent): Promise<void> => {
    const started = performance.now();
    training = true;
    log.info('retrain_begun', { retrain_event_id: event.event_id, reason: event.reason, explanation: event.explanation, pending });
    const result = await answerEvent({ settings, log, decider, attempts, pause, stopping: () => abort.signal.aborted, trouble: (message) => { trouble = message; } }, event);
    training = false;
    const took = (performance.now() - started) / 1000;
    log.info('retrain_answered', { retrain_event_id: event.event_id, answer: result, took_ms: Math.round(took * 1000) });
    onAnswer(result, took);
  };
  const run = async (): Promise<void> => {
    let failures = 0;
    while (!abort.signal.aborted) {
      if (!woken) await new Promise<void>((resolve) => { wake = resolve; });
      woken = false;
      try {
        for (let event = await look(); event !== undefined && !abort.signal.aborted; event = await look()) await answer(event);
        failures = 0;
        trouble = undefined;
      } catch (error) {
        training = false;
        trouble = messageOf(error);
        log.warn('trainer_waits', { message: trouble });
        woken = true;
        await pause(pauseMs(++failures));
      }
    }
  };
  run().catch(fail);

  const rouse = (): void => {
    woken = true;
    wake();
  };
  return {
    add(event) {
      if (event.model !== model || event.decision !== 'retrain') return;
      events.push(event);
      rouse();
    },
    clear() { events = []; },
    state: () => ({ pending, training, trouble }),
    stop() {
      abort.abort();
      rouse();
    },
  };
}
