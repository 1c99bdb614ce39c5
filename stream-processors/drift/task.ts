import { clickHouseError, isPassing } from '../../runtime/clickhouse.js';
import { messageOf } from '../../runtime/errors.js';
import type { Kafka } from '../../runtime/kafka/kafkajs.js';
import type { KafkaRecord, PartitionTask, TransactionOutput } from '../../runtime/kafka/records.js';
import type { Log } from '../../runtime/log.js';
import type { RecordCodec } from '../../runtime/registry/record-codec.js';
import type { Settings } from '../../runtime/settings.js';
import type { RetrainEvent } from '../../schemas/events/retrain-event.js';
import { TOPICS } from '../../schemas/topics.js';
import type { EventDraft } from './core/draft.js';
import { type Decisions, eventOf } from './decisions.js';
import type { PerformanceFiller } from './filler.js';
import type { Looker, MadeLook } from './looker.js';
import type { DriftMetrics } from './metrics.js';
import type { PerformanceWatch } from './performance-watch.js';

/** A reason to retrain other than a look at drift. */
export interface OtherReason {
  /**
   * What is decided by now; undefined where there is nothing to decide. Asked again before `told`, it says the same again.
   * @param cooldownUntil event time until which a retraining that was asked for keeps others off
   */
  ask(cooldownUntil: number): Promise<{ readonly drafts: readonly EventDraft[] } | undefined>;
  /** What was decided stands in the topic. */
  told?(): Promise<void>;
}

export interface DriftTaskOptions {
  readonly settings: Settings;
  readonly kafka: Kafka;
  readonly codec: RecordCodec<RetrainEvent>;
  readonly decisions: Decisions;
  readonly looker: Looker;
  readonly filler: PerformanceFiller;
  /** Realised performance, looked at as its labels come. */
  readonly performance: PerformanceWatch;
  /** Asked whenever there is no look to make. */
  readonly others: readonly OtherReason[];
  readonly metrics: DriftMetrics;
  readonly log: Log;
  /** Why nothing can be done at the moment; undefined while it can. */
  trouble(message: string | undefined): void;
  readonly now?: () => number;
}

/**
 * The service as the task of the one partition of retrain-events: the group gives it to one process, whose transactional
 * producer fences every other. Decisions go out in a transaction; that a look is done is written after it, so that a process
 * killed in between makes the same look again, finds its decisions in the topic by their keys, and adds nothing.
 */
export function createDriftTask({ settings, kafka, codec, decisions, looker, filler, performance, others, metrics, log, trouble, now = Date.now }: DriftTaskOptions): PartitionTask {
  let made: MadeLook | undefined;
  let telling: OtherReason | undefined;
  let sent: RetrainEvent[] = [];
  let nextAt = 0;

  async function append(drafts: readonly EventDraft[], output: TransactionOutput): Promise<number> {
    const fresh = drafts.filter(({ dedupe_key }) => !decisions.has(dedupe_key));
    for (const draft of fresh) {
      const event = eventOf(draft, now());
      output.append(TOPICS.retrain.name, Buffer.from(event.model), await codec.encode(event));
      sent.push(event);
    }
    return fresh.length;
  }

  /** @returns whether there is something to commit; the reason is told at the next call */
  async function hear(reason: OtherReason, output: TransactionOutput): Promise<boolean> {
    const decided = await reason.ask(decisions.cooldownUntil());
    if (decided === undefined) return false;
    if (await append(decided.drafts, output) > 0) {
      telling = reason;
      return true;
    }
    await reason.told?.();
    return false;
  }

  async function finish(look: MadeLook): Promise<void> {
    await looker.done(look);
    metrics.looked(look);
    log.info('looked', {
      window_to: new Date(look.about.window.to).toISOString(), version: look.about.modelVersion, mode: look.result.mode, tests: look.result.judged.length,
      beyond: look.result.judged.filter(({ verdict }) => verdict === 'beyond').length, decision: look.result.decision, took_ms: Math.round(look.tookMs),
    });
    made = undefined;
  }

  /** A ClickHouse that is away, or refuses, is waited for; nothing is lost, looks are made up for in event time. */
  async function patiently(work: () => Promise<boolean>): Promise<boolean> {
    try {
      const worked = await work();
      trouble(undefined);
      return worked;
    } catch (error) {
      const failure = clickHouseError(settings, 'drift', error);
      if (!failure.code.startsWith('CLICKHOUSE_')) throw failure;
      trouble(messageOf(failure));
      if (isPassing(failure)) log.warn('drift_waits', { message: messageOf(failure) });
      else log.error('drift_waits', failure);
      nextAt = now() + settings.DRIFT_POLL_MS;
      return false;
    }
  }

  return {
    async open() {
      await decisions.load(kafka);
      await looker.open();
      performance.open();
    },
    process: (records: readonly KafkaRecord[]) => decisions.take(records),
    idle: (output) => patiently(async () => {
      filler.poke();
      if (made !== undefined) await finish(made);
      await telling?.told?.();
      telling = undefined;
      // Prepared beside the looks, it costs them nothing to hear.
      if (await hear(performance, output)) return true;
      if (now() < nextAt) return false;
      made = await looker.next(decisions.cooldownUntil());
      if (made !== undefined) {
        if (await append(made.result.events, output) > 0) return true;
        await finish(made);
        return false;
      }
      for (const other of others) if (await hear(other, output)) return true;
      nextAt = now() + settings.DRIFT_POLL_MS;
      return false;
    }),
    committed() {
      for (const event of sent) {
        decisions.add(event);
        metrics.decided(event);
        log.info('decided', { decision: event.decision, reason: event.reason, dedupe_key: event.dedupe_key, explanation: event.explanation });
      }
      sent = [];
    },
    rollback() {
      filler.pause();
      made = undefined;
      telling = undefined;
      sent = [];
      nextAt = 0;
    },
    async close() { filler.pause(); },
  };
}
