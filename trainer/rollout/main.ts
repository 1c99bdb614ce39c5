import { Counter, Gauge } from 'prom-client';
import { createClickHouse } from '../../runtime/clickhouse.js';
import { messageOf } from '../../runtime/errors.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import type { Stoppable } from '../../runtime/lifecycle.js';
import type { Log } from '../../runtime/log.js';
import { createManifestCodec } from '../../runtime/models/codec.js';
import { createLedgerCodec, followLedger, readLedger } from '../../runtime/models/ledger.js';
import { followModels, readModels } from '../../runtime/models/read.js';
import type { ModelVersion } from '../../runtime/models/assemble.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import type { Settings } from '../../runtime/settings.js';
import { createMetrics, healthOf, startTelemetry } from '../../runtime/telemetry.js';
import type { ModelStage } from '../../schemas/events/model.js';
import { TOPICS } from '../../schemas/topics.js';
import { checkRollout, type Check } from './controller.js';
import { limitsOf, planOf } from './settings.js';

/** The rollout: raises a challenger's share, promotes it or rolls back, by what has landed of its scores. Several may run. */
export async function startRollout(settings: Settings, log: Log): Promise<Stoppable> {
  const kafka = createKafka(settings, log);
  const registry = createRegistry(settings, log);
  const client = createClickHouse(settings);
  const model = settings.MODEL_NAME;
  const manifestCodec = createManifestCodec(registry);
  const ledgerCodec = createLedgerCodec(registry);
  await ensureTopics(kafka, settings, [TOPICS.models, TOPICS.ledger]);

  const about = { kafka, codec: ledgerCodec, log, model };
  const { entries, next } = await readLedger(about);
  const published = new Map<string, ModelStage>();
  const onModel = ({ manifest }: ModelVersion): void => {
    if (manifest.model !== model) return;
    published.delete(manifest.version);
    published.set(manifest.version, manifest.stage);
  };
  const from = await readModels({ kafka, codec: manifestCodec, log, onModel });

  const register = createMetrics('rollout');
  const decisions = new Counter({ name: 'tidemark_rollout_decisions_total', help: 'Entries that the rollout wrote to the ledger.', labelNames: ['action'], registers: [register] });
  const failures = new Counter({ name: 'tidemark_rollout_failed_checks_total', help: 'Looks at a trial that failed.', registers: [register] });
  const share = new Gauge({ name: 'tidemark_rollout_challenger_share', help: 'Share of customers that the challenger serves.', labelNames: ['version', 'mode'], registers: [register] });
  let last: Check | undefined;
  let trouble: string | undefined;
  const telemetry = await startTelemetry({
    port: settings.ROLLOUT_METRICS_PORT, service: 'rollout', metrics: register,
    health: () => Promise.resolve(healthOf({
      rollout: trouble === undefined ? { status: 'up', detail: last === undefined ? 'not yet looked' : 'wait' in last.step ? last.step.wait : last.step.reason } : { status: 'degraded', detail: trouble },
    })),
  });

  const options = {
    decider: { kafka: createKafka(settings, log, 'transactional'), manifests: manifestCodec, ledger: ledgerCodec, log },
    client, log, model, plan: planOf(settings), limits: limitsOf(settings), horizon_days: settings.LABEL_HORIZON_DAYS, clock: Date.now,
    entries: () => entries, manifests: () => [...published].map(([version, stage]) => ({ version, stage })),
  };
  async function look(): Promise<void> {
    try {
      last = await checkRollout(options);
      trouble = undefined;
      const { deployment: { challenger }, step, written } = last;
      share.reset();
      if (challenger !== undefined) share.set({ version: challenger.version, mode: challenger.mode }, challenger.share);
      if (written && !('wait' in step)) decisions.inc({ action: step.action });
    } catch (error) { // ClickHouse or Kafka away: nothing is decided until it is back
      failures.inc();
      trouble = messageOf(error);
      log.warn('rollout_waits', { message: trouble });
    }
  }

  const followers = [
    followModels({ kafka, codec: manifestCodec, log, from, onModel }),
    followLedger({ ...about, from: next, onEntries: (more) => void entries.push(...more), onRestart: () => void entries.splice(0) }),
  ];
  let stopping = false;
  let wake = (): void => undefined;
  const looking = (async () => {
    while (!stopping) {
      await look();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, settings.ROLLOUT_CHECK_S * 1000);
        wake = () => { clearTimeout(timer); resolve(); };
        if (stopping) wake();
      });
    }
  })();
  return {
    async stop() {
      stopping = true;
      wake();
      await looking;
      await Promise.all([...followers.map((follower) => follower.stop()), telemetry.stop(), client.close()]);
    },
  };
}
