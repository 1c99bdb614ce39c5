import { serviceCommand } from '../service-command.js';

export const processor = serviceCommand({
  name: 'processor',
  summary: 'Run the feature processor: customer-events in, customer-features out',
  description: 'A member of the consumer group tidemark-features: start as many as there are partitions, each with an INSTANCE and a FEATURES_METRICS_PORT of its own where they share a machine.',
  load: async () => (await import('../../../stream-processors/features/main.js')).startFeatures,
});

export const scorer = serviceCommand({
  name: 'scorer',
  summary: 'Run the scorer: customer-features in, predictions out, REST and WebSocket',
  description: 'A member of the consumer group tidemark-scorer. It waits for a first model (tidemark train) and swaps in every later one. Further ones on the same DATA_DIR need an INSTANCE and a SCORER_PORT of their own.',
  load: async () => {
    const [{ startScorer }, { requestRetraining }] = await Promise.all([import('../../../scorer/main.js'), import('../../../stream-processors/drift/request.js')]);
    return (settings, log, fail) => startScorer(settings, log, fail, (request) => requestRetraining(settings, log, request));
  },
});

export const landing = serviceCommand({
  name: 'landing',
  summary: 'Run landing: events, predictions and dead letters into ClickHouse',
  description: 'Each row exactly once, through restarts of this process, of Kafka and of ClickHouse. While ClickHouse is away, records wait in Kafka.',
  load: async () => (await import('../../../stream-processors/landing/main.js')).startLanding,
});

export const trainer = serviceCommand({
  name: 'trainer',
  summary: 'Run the trainer: retrain-events in, new versions and decisions out',
  description: 'Trains for each retrain event once, compares the candidate with the champion, and deploys it or keeps the champion; the ledger has the answer and the reasons. One process is enough; of two that train for the same event, one answers.',
  load: async () => (await import('../../../trainer/service/main.js')).startTrainer,
});

export const rollout = serviceCommand({
  name: 'rollout',
  summary: 'Run the rollout: challengers rise step by step, are promoted or rolled back',
  description: 'Looks every ROLLOUT_CHECK_S at what a challenger gave beside the champion and writes what follows to models.ledger: the next share of CANARY_STEPS, the promotion, or, where a limit ROLLBACK_* is broken, the rollback. Several may run; one of them writes.',
  load: async () => (await import('../../../trainer/rollout/main.js')).startRollout,
});
