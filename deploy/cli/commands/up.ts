import { type Command, flagOf, UsageError } from '../command.js';
import { FILE_OPTIONS, SIMULATION_OPTIONS, sourceOf } from '../source-options.js';

export const up: Command = {
  name: 'up',
  summary: 'Start everything on this machine and score customers live',
  description: `Starts Kafka, a schema registry and ClickHouse (each only where KAFKA_BROKERS, SCHEMA_REGISTRY_URL or CLICKHOUSE_URL is not set), then the feature processor, landing and the scorer, then a source of events: simulated customers, or a file. The first part of the source is history: a first model is trained on it, the rest is scored live.`,
  options: {
    events: { type: 'string', value: 'FILE', description: 'replay a CSV or NDJSON file (.gz too) instead of simulating' },
    history: { type: 'string', value: 'SHARE', description: 'first share of the file’s time range that is history (default 0.6)' },
    ...FILE_OPTIONS,
    ...SIMULATION_OPTIONS,
    'no-source': { type: 'boolean', description: 'publish nothing: only what others publish' },
    'exit-when-done': { type: 'boolean', description: 'end when the whole file is scored and landed' },
    'auto-ports': { type: 'boolean', description: 'take another port where one is taken' },
    logs: { type: 'boolean', description: 'show the JSON logs of every process' },
  },
  examples: [
    ['tidemark up', 'simulated customers'],
    ['tidemark up --events orders.csv.gz --map event_time=ordered_at --map amount=total', 'your own history, then live scores of its last 40 %'],
    ['tidemark up --events events.ndjson --exit-when-done', 'score a file and end'],
    ['KAFKA_BROKERS=broker:9092 tidemark up --no-source', 'beside your own Kafka, whose producers publish to customer-events'],
  ],
  async run(args) {
    const source = sourceOf(args);
    if (flagOf(args, 'exit-when-done') && source.kind !== 'file') throw new UsageError('--exit-when-done: expected --events FILE beside it; a simulation has no end');
    const { runUp } = await import('../../up/main.js');
    return runUp({ source, exitWhenDone: flagOf(args, 'exit-when-done'), autoPorts: flagOf(args, 'auto-ports'), logs: flagOf(args, 'logs') });
  },
};
