import { DRIFT_PROFILES, DRIFT_SOURCES, type DriftProfile, type DriftSource } from '../../../clickhouse/drift-queries.js';
import { parseIsoTime } from '../../../schemas/events/iso-time.js';
import { DRIFT_BASES, type DriftBasis } from '../../../schemas/drift/measurement.js';
import { type Arguments, type Command, flagOf, listOf, numberOf, textOf, UsageError } from '../command.js';
import { serviceCommand } from '../service-command.js';

const HOURS_MAX = 24 * 366;
const service = serviceCommand({
  name: 'drift', summary: '', description: '',
  load: async () => (await import('../../drift/service.js')).startDriftService,
});

export const drift: Command = {
  name: 'drift',
  summary: 'Watch for drift and ask for retrainings (run), or show how features and scores have moved (report)',
  description:
    'run, the default, is the service: it looks at windows of event time as they are complete, judges them by a budget of false alarms, keeps broken data out of training, ' +
    'and asks for a retraining where the population has changed (docs/drift-thresholds.md). Several may run, one decides. ' +
    'report measures a window of event time against the rows that the model was trained on and against the window before, from the hourly aggregates in ClickHouse; ' +
    'sql prints the statement behind it, or those that give Evidently’s and NannyML’s figures over samples of your own (docs/drift.md).',
  positionals: { usage: `[run] | report | sql ${DRIFT_PROFILES.join('|')} [${DRIFT_SOURCES.join('|')}]`, min: 0, max: 3 },
  options: {
    version: { type: 'string', value: 'VERSION', description: 'the model version (default: the one that made the latest predictions)' },
    to: { type: 'string', value: 'TIME', description: 'end of the window, ISO 8601 with zone (default: the end of the last hour with predictions)' },
    hours: { type: 'string', value: 'N', description: 'length of the window, and of the one before (default 24)' },
    segment: { type: 'string', value: 'NAME', multiple: true, description: 'also this segment (channel=web), or all of a kind (channel=, tenure=); may be repeated' },
    against: { type: 'string', value: 'BASE', description: 'reference or previous, for the table (default: reference where the version has a profile)' },
    multivariate: { type: 'boolean', description: 'also how well a classifier tells the window from its base by all features together (XGBoost, sampled rows)' },
    html: { type: 'string', value: 'FILE', description: 'write one self-contained page with plots, too' },
    json: { type: 'boolean', description: 'print the measurements as JSON lines instead of the table' },
    record: { type: 'boolean', description: 'write the measurements to drift_reports' },
  },
  examples: [
    ['tidemark drift', 'the service, beside a running tidemark up or on a cluster of your own'],
    ['tidemark drift report --hours 168 --html drift.html', 'the last week against training and against the week before'],
    ['tidemark drift report --segment channel= --against previous', 'each channel against yesterday'],
    ['tidemark drift sql evidently | tidemark sql -p samples=my_samples', 'Evidently’s figures over a view of yours'],
  ],
  async run(args) {
    const [action = 'run', ...rest] = args.positionals;
    if (action === 'run' && rest.length === 0) return service.run(args);
    if (action === 'sql') return printSql(rest);
    if (action !== 'report' || rest.length > 0) throw new UsageError(`got ${JSON.stringify(args.positionals.join(' '))}, expected run, report, or sql with a profile`);
    const options = {
      version: textOf(args, 'version'), to: timeOf(args, 'to'), hours: numberOf(args, 'hours', { min: 1, max: HOURS_MAX, integer: true }) ?? 24,
      segments: listOf(args, 'segment'), record: flagOf(args, 'record'), multivariate: flagOf(args, 'multivariate'),
    };
    const against = basisOf(textOf(args, 'against'));
    const [{ settingsOfRunning }, { makeReport }, { terminalReport }, { htmlReport }, { writeFileSync }] = await Promise.all([
      import('../../endpoints.js'), import('../../drift/report.js'), import('../../drift/terminal.js'), import('../../drift/html.js'), import('node:fs'),
    ]);
    const report = await makeReport(settingsOfRunning(), options);
    const page = textOf(args, 'html');
    if (page !== undefined) writeFileSync(page, htmlReport(report, Date.now()));
    if (flagOf(args, 'json')) for (const one of report.measurements) process.stdout.write(`${JSON.stringify(one)}\n`);
    else {
      const base = against ?? (report.measurements.some((one) => one.against === 'reference') ? 'reference' : 'previous');
      process.stdout.write(terminalReport(report, base, process.stdout.isTTY && process.env['NO_COLOR'] === undefined));
      if (page !== undefined) process.stdout.write(`written: ${page}\n`);
    }
    return 0;
  },
};

async function printSql([profile, source = profile === 'native' ? 'hours' : 'numbers', ...more]: readonly string[]): Promise<number> {
  const { driftQuery } = await import('../../../clickhouse/drift-queries.js');
  const known = more.length === 0 && (DRIFT_PROFILES as readonly (string | undefined)[]).includes(profile) && (DRIFT_SOURCES as readonly string[]).includes(source);
  const query = known ? driftQuery(profile as DriftProfile, source as DriftSource) : undefined;
  if (query === undefined) throw new UsageError(`sql: got ${JSON.stringify([profile, source, ...more].join(' '))}, expected ${DRIFT_PROFILES.join(', ')} and numbers or categories (native: hours, too)`);
  process.stdout.write(query);
  return 0;
}

function timeOf(args: Arguments, name: string): number | undefined {
  const text = textOf(args, name);
  if (text === undefined) return undefined;
  const time = parseIsoTime(text);
  if (Number.isNaN(time)) throw new UsageError(`--${name}: got ${JSON.stringify(text)}, expected ISO 8601 with a zone, as 2026-01-31T00:00:00Z`);
  return time;
}

function basisOf(text: string | undefined): DriftBasis | undefined {
  if (text === undefined || (DRIFT_BASES as readonly string[]).includes(text)) return text as DriftBasis | undefined;
  throw new UsageError(`--against: got ${JSON.stringify(text)}, expected ${DRIFT_BASES.join(' or ')}`);
}
