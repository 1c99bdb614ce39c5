import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { TidemarkError } from './errors.js';

const port = (preset: number) => z.coerce.number().int().min(1).max(65_535).default(preset);
const count = (preset: number, min = 1, max = Number.MAX_SAFE_INTEGER) => z.coerce.number().int().min(min).max(max).default(preset);
const flag = (preset: boolean) => z.enum(['true', 'false', '1', '0']).default(preset ? 'true' : 'false').transform((v) => v === 'true' || v === '1');
const text = () => z.string().min(1).optional();
const url = () => z.url({ protocol: /^https?$/, error: 'expected an address that begins with http:// or https://' }).optional();
/** Rising shares with commas between, each above 0 and below 1; `none` for no step. */
const shares = (preset: string) => z.string().default(preset).transform((text, context) => {
  const list = text.trim() === 'none' ? [] : text.split(',').map(Number);
  if (list.every((share, i) => share > (list[i - 1] ?? 0) && share < 1)) return list;
  context.addIssue({ code: 'custom', message: 'expected rising shares between 0 and 1 with commas between (0.05,0.25), or none' });
  return z.NEVER;
});
/** Origins as browsers write them, or `*`. */
const origins = () => z.string().regex(/^\s*(\*|https?:\/\/[^\s,\/]+(\s*,\s*https?:\/\/[^\s,\/]+)*)\s*$/, 'expected origins as browsers write them (https://shop.example), several with commas between, or *').optional();
const addresses = () => z.string().regex(/^\s*[0-9A-Fa-f.:]+(\s*,\s*[0-9A-Fa-f.:]+)*\s*$/, 'expected addresses (10.0.0.7), several with commas between').optional();
const brokers = () => z.string().regex(/^\s*[^\s,:/]+:\d{1,5}(\s*,\s*[^\s,:/]+:\d{1,5})*\s*$/, 'expected host:port, several with commas between').optional();

/** Every setting of every process: its environment variable, bounds, default and meaning. README's table is checked against it. */
export const SETTINGS = {
  DATA_DIR: z.string().min(1).default('.tidemark').describe('folder of the embedded parts, the state stores and the logs'),
  JARS_DIR: text().describe('folder of the fetched jars, which several data folders may share; unset: jars in DATA_DIR'),
  INSTANCE: z.string().regex(/^[A-Za-z0-9_-]{1,32}$/).default('0').describe('name of this process among several of its kind on one DATA_DIR'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('lowest level that is logged'),

  KAFKA_BROKERS: brokers().describe('host:port,… of your own Kafka; unset: the embedded one'),
  KAFKA_PORT: port(9092).describe('port of the embedded Kafka'),
  KAFKA_PARTITIONS: count(4, 1, 1024).describe('partitions of the topics that are created'),
  KAFKA_REPLICATION_FACTOR: count(1, 1, 9).describe('replicas of the topics that are created'),
  KAFKA_SESSION_TIMEOUT_MS: count(10_000, 6000, 300_000).describe('silence after which Kafka gives a process’s partitions to others, ms'),
  FETCH_PACE_MS: count(5, 0, 1000).describe('shortest time between two fetches of a process, ms'),
  FETCH_BYTES_PER_PARTITION: count(1_048_576, 1024).describe('most bytes fetched of a partition at once'),
  KAFKA_TLS: flag(false).describe('talk TLS to Kafka'),
  KAFKA_CA_FILE: text().describe('CA certificates that sign the brokers (PEM)'),
  KAFKA_CERT_FILE: text().describe('client certificate (PEM)'),
  KAFKA_KEY_FILE: text().describe('key of the client certificate (PEM)'),
  KAFKA_SASL_MECHANISM: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional().describe('SASL mechanism'),
  KAFKA_SASL_USERNAME: text().describe('SASL user'),
  KAFKA_SASL_PASSWORD: text().describe('SASL password'),

  SCHEMA_REGISTRY_URL: url().describe('your own schema registry (Confluent API); unset: the embedded one'),
  SCHEMA_REGISTRY_PORT: port(8081).describe('port of the embedded registry'),
  SCHEMA_REGISTRY_USERNAME: text().describe('registry user'),
  SCHEMA_REGISTRY_PASSWORD: text().describe('registry password'),
  SCHEMA_REGISTRY_CA_FILE: text().describe('CA certificates that sign the registry (PEM)'),

  CLICKHOUSE_URL: url().describe('your own ClickHouse (HTTP); unset: the embedded one'),
  CLICKHOUSE_PORT: port(8123).describe('port of the embedded ClickHouse'),
  CLICKHOUSE_USER: z.string().min(1).default('default').describe('ClickHouse user'),
  CLICKHOUSE_PASSWORD: text().describe('ClickHouse password'),
  CLICKHOUSE_READER_PASSWORD: text().describe('password of the embedded ClickHouse’s user reader, who may only read; unset: there is no such user'),
  CLICKHOUSE_DATABASE: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/).default('tidemark').describe('ClickHouse database'),
  CLICKHOUSE_CA_FILE: text().describe('CA certificates that sign ClickHouse (PEM)'),

  SCORER_HOST: z.string().min(1).default('127.0.0.1').describe('address the scorer listens on'),
  SCORER_PORT: port(8080).describe('port of the scorer: REST, WebSocket, metrics'),
  SCORER_KEYS_FILE: text().describe('file of the API keys, written by tidemark keys; unset: keys.json in DATA_DIR. Keys are asked for as soon as it is there'),
  SCORER_API_KEY: text().describe('key by which commands of this machine ask a scorer that wants one'),
  SCORER_ALLOW_INSECURE: flag(false).describe('let the scorer listen where others can reach it without keys or without TLS, because something in front sees to it'),
  SCORER_TLS_CERT_FILE: text().describe('certificate of the scorer with its chain (PEM); read again when it changes'),
  SCORER_TLS_KEY_FILE: text().describe('key of the certificate (PEM)'),
  SCORER_TLS_CLIENT_CA_FILE: text().describe('CA certificates (PEM) that sign the clients: only clients with a certificate of theirs are let in'),
  SCORER_CORS_ORIGINS: origins().describe('origins whose pages may ask the scorer, with commas between, or *; unset: only its own page'),
  SCORER_TRUSTED_PROXIES: addresses().describe('addresses of proxies whose X-Forwarded-For is believed, with commas between'),
  SCORER_KEY_RATE_PER_S: z.coerce.number().min(0).max(1_000_000).default(0).describe('requests a second that each key may make; 0: no limit'),
  SCORER_KEY_BURST: count(0, 0, 1_000_000).describe('requests that a key may make at once; 0: what two seconds give'),
  SCORER_ADDRESS_RATE_PER_S: z.coerce.number().min(0).max(1_000_000).default(0).describe('requests a second that each address may make; 0: no limit'),
  SCORER_ADDRESS_BURST: count(0, 0, 1_000_000).describe('requests that an address may make at once; 0: what two seconds give'),
  SCORER_CONNECTIONS_MAX: count(20_000, 1, 1_000_000).describe('most connections at once, WebSockets included'),
  SCORER_CACHE_ROWS: count(16_384, 0, 1_000_000).describe('rows whose score POST /predict remembers as long as the model serves, used while looking up costs less than it saves; 0: none'),
  SCORER_BULK_THREADS: count(2, 1, 64).describe('threads that score batches, each begun when there is work for it; on Linux they yield to single requests'),
  LIVE_CLIENTS_MAX: count(10_000, 1, 1_000_000).describe('most live connections of a scorer: WebSocket and server-sent events'),
  LIVE_CLIENTS_PER_CALLER_MAX: count(1000, 1, 1_000_000).describe('most live connections of one caller: of a key, or of an address where there are no keys'),
  LIVE_WAITING_BYTES: count(131_072, 4096, 16_777_216).describe('most bytes of scores that wait for a live subscription that reads too slowly; beyond it the oldest are left out and counted'),
  LIVE_RESUME_BYTES: count(16_777_216, 0, 4_294_967_296).describe('memory for the latest scores, from which live connections go on after a break; 0: they begin anew'),
  LIVE_COMPRESSION: flag(false).describe('offer permessage-deflate to WebSocket clients: fewer bytes, several times the CPU'),
  API_LOG_MB_MAX: count(64, 0, 4096).describe('most MB of predictions asked for over HTTP that wait for ClickHouse; beyond it they are not logged; 0: none are'),
  SCORER_DRAIN_MS: count(0, 0, 15_000).describe('how long a scorer that is told to stop goes on answering while /health/ready says 503, so that a load balancer takes it out, ms'),
  FEATURES_METRICS_PORT: port(9464).describe('port of the feature processor: /health and /metrics'),
  ROLLOUT_METRICS_PORT: port(9468).describe('port of the rollout: /health and /metrics'),
  LANDING_METRICS_PORT: port(9465).describe('port of landing: /health and /metrics'),
  DRIFT_METRICS_PORT: port(9466).describe('port of the drift service: /health and /metrics'),
  TRAINER_METRICS_PORT: port(9467).describe('port of the trainer: /health and /metrics'),

  PROCESSING_GUARANTEE: z.enum(['exactly_once', 'at_least_once']).default('exactly_once').describe('guarantee of the feature processor and the scorer'),
  TRANSACTION_DEADLINE_MS: count(10_000, 1000, 400_000).describe('longest a commit may take, retries included, and a transaction may stay open, ms'),
  COMMIT_INTERVAL_MS: count(10, 0, 60_000).describe('shortest time between two commits of a process, ms; 0: as fast as records come'),
  BATCH_ROWS_MAX: count(10_000, 1, 1_000_000).describe('most records in one transaction'),
  STATE_CACHE_CUSTOMERS: count(100_000, 1).describe('customers whose state a process keeps in memory'),
  EVENT_TIME_MAX_AHEAD_S: count(86_400, 0).describe('how far event_time may be ahead of the record’s own time, seconds'),
  SWEEP_INTERVAL_S: count(60, 0).describe('time between two sweeps over silent customers, seconds; 0: none'),
  SWEEP_SILENCE_H: count(24, 1).describe('hours since a customer’s last refresh after which a sweep refreshes it'),
  SWEEP_ROWS_PER_S: count(500, 1).describe('most refreshed customers a second in a sweep'),

  MODEL_NAME: z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/).default('churn').describe('the model that the scorer serves'),
  ROLLOUT_MODE: z.enum(['shadow', 'canary', 'full']).default('shadow').describe('how a version that was accepted enters service: shadow (scored beside the champion, not published, then canary), canary (serves a rising share of customers), full (at once)'),
  ROLLOUT_AUTO: flag(true).describe('raise shares and promote without being asked; rolling back is always done'),
  ROLLOUT_CHECK_S: z.coerce.number().min(0.05).max(3600).default(10).describe('time between two looks at a trial, seconds'),
  ROLLOUT_CLOCK: z.enum(['wall', 'event']).default('wall').describe('clock of a rollout’s steps and of the probation: of the machines, or of the events'),
  ROLLOUT_STEP_S: count(600, 0).describe('least time of a step of a rollout, seconds'),
  ROLLOUT_STEP_ROWS: count(1000, 1).describe('least rows that champion and challenger both scored in a step'),
  CANARY_STEPS: shares('0.05,0.25,0.5').describe('shares of customers that a canary serves one after the other; none: from shadow to all at once'),
  PROBATION_S: count(86_400, 0).describe('how long a new champion is held against the one before it, seconds; 0: not at all'),
  ROLLBACK_ROWS_MIN: count(200, 1).describe('fewest compared rows on which a version is rolled back'),
  ROLLBACK_ERROR_SHARE_MAX: z.coerce.number().min(0).max(1).default(0.01).describe('share of rows without a probability from which a version is rolled back'),
  ROLLBACK_LATENCY_US_MAX: z.coerce.number().min(0).default(500).describe('time of a row in the model, 90th percentile in µs, from which a version is rolled back'),
  ROLLBACK_PSI_MAX: z.coerce.number().min(0).default(1).describe('population stability index between the scores of both, on the same rows, from which a version is rolled back'),
  ROLLBACK_KS_MAX: z.coerce.number().min(0).max(1).default(0.5).describe('Kolmogorov-Smirnov distance between the scores of both, on the same rows, from which a version is rolled back'),
  ROLLBACK_LOSS_INCREASE_MAX: z.coerce.number().min(0).default(0.02).describe('increase of log loss on rows whose outcome is known from which a version is rolled back'),
  SHADOW_SHARE: z.coerce.number().min(0).max(1).default(1).describe('share of customers that a version in shadow is scored for'),
  SHADOW_TIME_SHARE: z.coerce.number().min(0).max(1).default(0.25).describe('most of a scorer’s time that scoring in shadow takes; rows beyond it are not compared'),
  XGBOOST_LIBRARY: text().describe('your own libxgboost (shared library); unset: the published one, fetched once'),
  LABEL_HORIZON_DAYS: count(30, 1, 3650).describe('a customer without a purchase for this many days has churned'),
  LABEL_LATENESS_H: count(24, 0).describe('hours of event time that late events are waited for, beyond the horizon, before a prediction gets its label'),
  PERFORMANCE_WINDOW_H: count(24, 1).describe('hours of event time in a window that performance is reported of'),
  PERFORMANCE_LOSS_INCREASE_MIN: z.coerce.number().min(0).max(10).default(0.05).describe('smallest increase of the realised loss, as a share of what is expected, for which a retraining is asked'),
  TRAIN_SNAPSHOT_STEP_DAYS: count(0, 0, 365).describe('days between two training snapshots of a customer; 0: from 1 to 7 by the length of the history'),
  TRAIN_HOLDOUT_DAYS: count(0, 0, 3650).describe('days that a model is measured on, and compared with the champion; 0: a quarter of the usable history, at most four horizons'),
  TRAIN_ROWS_MAX: count(500_000, 1000, 50_000_000).describe('most rows of a training set; beyond it whole customers are left out by a hash of their id'),
  TRAIN_FAMILIES: z.string().default('xgboost,random_forest,logistic_regression').transform((v) => v.split(',').map((one) => one.trim()))
    .pipe(z.array(z.enum(['xgboost', 'random_forest', 'logistic_regression'])).min(1)).describe('families that a training compares, with commas between'),
  TRAIN_METRIC: z.enum(['log_loss', 'brier', 'auc', 'pr_auc']).default('log_loss').describe('metric that family and hyperparameters are chosen by, in cross-validation'),
  TRAIN_SEARCH_TRIALS: count(8, 1, 1000).describe('trials of hyperparameters a family; the first are its defaults'),
  TRAIN_THREADS: count(2, 1, 256).describe('threads of XGBoost'),
  ARTIFACTS_URL: z.string().regex(/^(s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[\w.\/-]*)?|file:\/\/\/.+)$/, 'expected s3://bucket/prefix or file:///folder').optional()
    .describe('where training sets and models are stored, s3://bucket/prefix or file:///folder; unset: artifacts in DATA_DIR'),
  ARTIFACTS_ENDPOINT: url().describe('address of an S3-compatible server; unset: AWS in ARTIFACTS_REGION'),
  ARTIFACTS_REGION: z.string().regex(/^[a-z0-9-]{1,64}$/).default('us-east-1').describe('region of the bucket'),
  ARTIFACTS_ACCESS_KEY_ID: text().describe('access key of the bucket'),
  ARTIFACTS_SECRET_ACCESS_KEY: text().describe('secret key of the bucket'),
  ARTIFACTS_SESSION_TOKEN: text().describe('session token that goes with temporary keys'),
  ARTIFACTS_CA_FILE: text().describe('CA certificates that sign ARTIFACTS_ENDPOINT (PEM)'),
  GATE_LEVEL: z.coerce.number().min(0.001).max(0.4).default(0.05).describe('highest chance that a candidate no better than the champion is deployed'),
  GATE_BOOTSTRAP_ROUNDS: count(1000, 100, 100_000).describe('draws of customers that the gate’s intervals rest on'),
  GATE_METRIC_TOLERANCE: z.coerce.number().min(0).max(10).default(0.02).describe('how much worse a candidate may be by other metrics than TRAIN_METRIC, as a share of the champion’s loss'),
  GATE_SEGMENT_TOLERANCE: z.coerce.number().min(0).max(10).default(0.05).describe('how much worse a candidate may be in any segment, as a share of the champion’s loss there'),
  GATE_CALIBRATION_TOLERANCE: z.coerce.number().min(0).max(1).default(0.02).describe('how far a candidate’s calibration error may be above the champion’s'),
  GATE_LATENCY_RATIO_MAX: z.coerce.number().min(1).default(3).describe('how many times slower than the champion a candidate may be'),
  GATE_SIZE_RATIO_MAX: z.coerce.number().min(1).default(10).describe('how many times larger than the champion a candidate may be'),
  MLFLOW_TRACKING_URI: url().describe('MLflow server that is told of every version; unset: none'),
  MLFLOW_TRACKING_TOKEN: text().describe('bearer token of the MLflow server'),
  MLFLOW_TRACKING_USERNAME: text().describe('MLflow user'),
  MLFLOW_TRACKING_PASSWORD: text().describe('MLflow password'),
  MLFLOW_EXPERIMENT_NAME: z.string().min(1).max(250).default('tidemark').describe('MLflow experiment that the runs belong to'),
  MLFLOW_SYNC_INTERVAL_S: count(30, 1, 86_400).describe('time between two looks of the trainer at what MLflow lacks, seconds'),
  DECISION_THRESHOLD: z.coerce.number().min(0).max(1).default(0.5).describe('score from which the decision is “at risk”'),
  FALLBACK_SCORE: z.coerce.number().min(0).max(1).default(0.5).describe('score of a row that no model gives a probability for; it is flagged degraded'),

  DRIFT_POLICY: z.enum(['budget', 'classic']).default('budget').describe('what counts as drift: thresholds calibrated to a budget of false alarms, or a fixed PSI'),
  DRIFT_FALSE_ALARM_DAYS: count(90, 1, 36_500).describe('budget: at most one false drift alarm in so many days of event time'),
  DRIFT_WINDOW_H: count(168, 1, 8760).describe('length of the windows that are compared, hours of event time'),
  DRIFT_STEP_H: count(24, 1, 8760).describe('time from one window’s end to the next one’s, hours of event time'),
  DRIFT_PERSISTENCE: count(3, 1, 100).describe('windows in a row that must be beyond the threshold, or back within it, before anything follows'),
  DRIFT_CALIBRATION_WINDOWS: count(4, 3, 52).describe('lengths of a window that are watched before there are verdicts'),
  DRIFT_HISTORY_WINDOWS: count(12, 4, 104).describe('lengths of a window that calibration looks back'),
  DRIFT_EFFECT_MIN: z.coerce.number().min(0).max(1).default(0.025).describe('smallest excess of a distance (0 to 1) over what is usual that may count as drift'),
  DRIFT_ROWS_MIN: count(200, 20).describe('fewest values of a window that are judged'),
  DRIFT_PSI_MAX: z.coerce.number().positive().default(0.2).describe('classic: population stability index from which a feature has drifted'),
  DRIFT_SEGMENTS: z.string().min(1).default('channel=,tenure=').describe('segments looked at beside all customers: names or prefixes, commas between; or none'),
  DRIFT_MULTIVARIATE_ROWS: count(5000, 0, 100_000).describe('most rows of a window and of its base from which a classifier learns at each look to tell them apart by all features together; 0: it is not watched'),
  DRIFT_COOLDOWN_H: count(336, 0, 87_600).describe('event time after a retraining in which drift asks for no other, hours'),
  DRIFT_POLL_MS: count(5000, 50, 3_600_000).describe('time between two questions whether a window is complete, ms'),
  RETRAIN_SCHEDULE: z.string().min(1).optional().describe('cron expression of the retrainings that come by themselves, UTC; unset: none'),
  RETRAIN_SCHEDULE_CLOCK: z.enum(['event', 'wall']).default('event').describe('clock of RETRAIN_SCHEDULE: event time of the stream, or wall clock'),

  LANDING_BATCH_ROWS: count(50_000, 1, 1_000_000).describe('most rows in one insert'),
  LANDING_FLUSH_MS: count(2000, 1, 60_000).describe('longest wait of a row before it is inserted'),
  EVENTS_TTL_DAYS: count(0, 0).describe('days that events are kept in ClickHouse by event time; 0: for ever'),
  PREDICTIONS_TTL_DAYS: count(0, 0).describe('days that predictions are kept in ClickHouse by event time; 0: for ever'),
} as const;

const schema = z.strictObject(SETTINGS);
export type Settings = z.infer<typeof schema>;

/** Settings whose value never appears in a log, an error or a listing; each may come from a file named by NAME_FILE. */
export const SECRETS = ['KAFKA_SASL_PASSWORD', 'SCHEMA_REGISTRY_PASSWORD', 'CLICKHOUSE_PASSWORD', 'CLICKHOUSE_READER_PASSWORD', 'ARTIFACTS_ACCESS_KEY_ID', 'ARTIFACTS_SECRET_ACCESS_KEY', 'ARTIFACTS_SESSION_TOKEN', 'MLFLOW_TRACKING_TOKEN', 'MLFLOW_TRACKING_PASSWORD', 'SCORER_API_KEY'] as const satisfies readonly (keyof Settings)[];

/**
 * Reads the settings from the environment; every problem is listed at once.
 * @param overrides values that stand above the environment (command line, the supervisor)
 * @throws TidemarkError CONFIG_INVALID
 */
export function loadSettings(env: NodeJS.ProcessEnv = process.env, overrides: Record<string, string> = {}): Settings {
  const problems: string[] = [];
  const given: Record<string, string> = {};
  for (const name of Object.keys(SETTINGS)) {
    const value = overrides[name] ?? env[name];
    if (value !== undefined && value !== '') given[name] = value;
  }
  for (const name of SECRETS) {
    const file = env[`${name}_FILE`];
    if (file === undefined || file === '') continue;
    if (given[name] !== undefined) problems.push(`${name} and ${name}_FILE are both set: keep one`);
    try {
      given[name] = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    } catch (error) {
      problems.push(`${name}_FILE: cannot read ${file} (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
    }
  }
  problems.push(...contradictions(given));
  const parsed = schema.safeParse(given);
  if (!parsed.success) for (const { path, message } of parsed.error.issues) problems.push(`${path.join('.')}: ${got(String(path[0]), given)}${message}`);
  if (problems.length > 0 || !parsed.success) throw new TidemarkError('CONFIG_INVALID', `settings: ${problems.join('; ')}`);
  return parsed.data;
}

/** What was set, for the message; secrets and addresses, which may carry one, are not repeated. */
function got(name: string, given: Readonly<Record<string, string>>): string {
  const hidden = (SECRETS as readonly string[]).includes(name) || /_UR[LI]$/.test(name);
  return hidden || given[name] === undefined ? '' : `got ${JSON.stringify(given[name])}: `;
}

/** Settings that mean nothing without one another. */
const TOGETHER: readonly (readonly [name: string, needs: string])[] = [
  ['KAFKA_SASL_MECHANISM', 'KAFKA_SASL_USERNAME'],
  ['KAFKA_SASL_MECHANISM', 'KAFKA_SASL_PASSWORD'],
  ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_MECHANISM'],
  ['KAFKA_CERT_FILE', 'KAFKA_KEY_FILE'],
  ['KAFKA_KEY_FILE', 'KAFKA_CERT_FILE'],
  ['SCHEMA_REGISTRY_PASSWORD', 'SCHEMA_REGISTRY_USERNAME'],
  ['SCORER_TLS_CERT_FILE', 'SCORER_TLS_KEY_FILE'],
  ['SCORER_TLS_KEY_FILE', 'SCORER_TLS_CERT_FILE'],
  ['SCORER_TLS_CLIENT_CA_FILE', 'SCORER_TLS_CERT_FILE'],
  ['MLFLOW_TRACKING_USERNAME', 'MLFLOW_TRACKING_PASSWORD'],
  ['MLFLOW_TRACKING_PASSWORD', 'MLFLOW_TRACKING_USERNAME'],
  ['ARTIFACTS_ACCESS_KEY_ID', 'ARTIFACTS_SECRET_ACCESS_KEY'],
  ['ARTIFACTS_SECRET_ACCESS_KEY', 'ARTIFACTS_ACCESS_KEY_ID'],
];

function contradictions(given: Readonly<Record<string, string>>): string[] {
  const problems = TOGETHER.filter(([name, needs]) => given[name] !== undefined && given[needs] === undefined).map(([name, needs]) => `${name} is set without ${needs}: set both`);
  const tls = given['KAFKA_TLS'] === 'true' || given['KAFKA_TLS'] === '1';
  if (!tls && (given['KAFKA_CA_FILE'] ?? given['KAFKA_CERT_FILE']) !== undefined) problems.push('KAFKA_CA_FILE or KAFKA_CERT_FILE is set without KAFKA_TLS=true: set it, or leave them out');
  return problems;
}
