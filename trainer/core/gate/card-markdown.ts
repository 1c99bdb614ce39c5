import type { ModelCard } from './card.js';
import type { MetricComparison } from './compare.js';
import type { Interval } from './interval.js';
import { calibrationText } from './calibration-plot.js';
import { GATE_METRICS, METRIC_WORDS } from './loss.js';
import { show } from './verdict.js';

const IMPORTANCES_SHOWN = 12;
const BAR = 30;
const iso = (time: number): string => (Number.isFinite(time) && Math.abs(time) <= 8.64e15 ? new Date(time).toISOString().replace(/\.000Z$/, 'Z') : String(time));
const day = (time: number): string => iso(time).slice(0, 10);

const OUTCOME: Readonly<Record<ModelCard['decision']['entrance'], string>> = {
  promoted: 'Deployed: it is the champion.',
  canary: 'Accepted: it begins with a share of the customers.',
  shadow: 'Accepted: it is scored beside the champion, not published.',
  registered: 'Registered: it is kept, and serves nobody.',
  refused: 'Refused: the champion stays.',
};

/** The card for people. @param plot name of an SVG file of the calibration plot beside it; undefined: text only */
export function cardMarkdown(card: ModelCard, plot?: string): string {
  return [
    `# ${card.model} ${card.version}`,
    `**${OUTCOME[card.decision.entrance]}** ${sentence(card.decision.reason)}`,
    origin(card),
    section('Decision', decision(card)),
    section('Figures on the held-out rows', figures(card)),
    section('Segments', segments(card)),
    section('Calibration', calibration(card, plot)),
    section('What the model looks at', importances(card)),
    section('Data', data(card)),
    section('Training', training(card)),
    section('Parameters', table(['parameter', 'value'], Object.entries(card.parameters).map(([name, value]) => [`\`${name}\``, value]))),
  ].filter((part) => part !== '').join('\n\n') + '\n';
}

const section = (title: string, body: string): string => (body === '' ? '' : `## ${title}\n\n${body}`);
/** A bar in a cell would end it. */
const cell = (text: string): string => text.replace(/\|/g, '\\|').replace(/\s+/g, ' ');
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  rows.length === 0 ? '' : [head, head.map(() => '---'), ...rows.map((row) => row.map(cell))].map((row) => `| ${row.join(' | ')} |`).join('\n');

function origin({ family, created_at, champion, decision: { by, retrain_event_id, asked_because } }: ModelCard): string {
  const asked = retrain_event_id === '' ? '' : ` It answers the retrain event \`${retrain_event_id}\`${asked_because === '' ? '' : `: ${sentence(asked_because)}`}`;
  return `A ${family.replace(/_/g, ' ')} model, trained ${iso(created_at)}, decided by ${by}. ${champion === null ? 'There was no champion to compare with.' : `Compared with the champion ${champion}.`}${asked}`;
}
const sentence = (text: string): string => (text === '' || /[.!?]$/.test(text) ? text : `${text}.`);

/** What it was chosen from, how its probabilities were calibrated, and what its data gave cause to say. */
function training({ training: facts }: ModelCard): string {
  if (facts === undefined) return '';
  const { families, calibrations, warnings, cleaning } = facts;
  return [
    table(['family, in cross-validation', 'log loss', 'Brier', 'AUC', 'trials'], families.map(({ family, metrics, trials }) => [family.replace(/_/g, ' '), ...['log_loss', 'brier', 'auc'].map((name) => number(metrics[name] ?? NaN)), String(trials)])),
    table(['calibration, where it was not fitted', 'calibration error', 'log loss'], calibrations.map(({ method, calibration_error, log_loss }) => [method, number(calibration_error), number(log_loss)])),
    cleaning.filter(({ count }) => count > 0).map(({ count, leaves_out }) => `- left out: ${count} ${leaves_out}`).join('\n'),
    warnings.map((warning) => `- warning: ${warning}`).join('\n'),
  ].filter((part) => part !== '').join('\n\n');
}

const decision = ({ decision: { checks } }: ModelCard): string =>
  table(['check', 'passed', 'figures'], checks.map(({ check, passed, text }) => [check.replace(/_/g, ' '), passed ? 'yes' : '**no**', text]));

function figures(card: ModelCard): string {
  const { comparison: { metrics, rows, customers, churned, rounds, level, calibration: error }, champion, costs } = card;
  const percent = Number(((1 - 2 * level) * 100).toFixed(2));
  const rowOf = (words: string, { candidate, champion: other, gain }: MetricComparison): string[] =>
    [words, withInterval(candidate), ...(champion === null ? [] : [other === null ? '' : withInterval(other), gain === null ? '' : withInterval(gain)])];
  const cost = (words: string, candidate: string, other: string): string[] => [words, candidate, ...(champion === null ? [] : [other, ''])];
  const head = ['metric', 'this version', ...(champion === null ? [] : ['champion', 'gain'])];
  const lines = [
    ...GATE_METRICS.map((metric) => rowOf(`${METRIC_WORDS[metric].words} (${METRIC_WORDS[metric].higher_is_better ? 'higher' : 'lower'} is better)`, metrics[metric])),
    cost('calibration error', number(error.candidate), number(error.champion)),
    cost('call with one row, µs', costs.candidate.one_row_us.toFixed(1), costs.champion?.one_row_us.toFixed(1) ?? ''),
    cost('row among many, µs', costs.candidate.many_rows_us.toFixed(1), costs.champion?.many_rows_us.toFixed(1) ?? ''),
    cost('size, kB', (costs.candidate.bytes / 1000).toFixed(0), costs.champion === null ? '' : (costs.champion.bytes / 1000).toFixed(0)),
  ];
  const seen = card.seen_by_champion === 0 ? '' : ` The champion may have been trained on ${card.seen_by_champion} of them, which flatters it.`;
  return `${rows} rows of ${customers} customers, ${churned} churned.${seen} In brackets the ${percent} % interval of ${rounds} draws of customers.\n\n${table(head, lines)}`;
}

function segments({ comparison: { segments: all, metric }, champion }: ModelCard): string {
  const head = ['segment', 'rows', 'customers', METRIC_WORDS[metric].words, ...(champion === null ? [] : ['champion', 'gain'])];
  return table(head, all.map((one) => [one.segment, String(one.rows), String(one.customers), withInterval(one.candidate),
    ...(champion === null || one.champion === null || one.gain === null ? [] : [withInterval(one.champion), withInterval(one.gain)])]));
}

const calibration = ({ comparison: { calibration_points } }: ModelCard, plot: string | undefined): string =>
  [...(plot === undefined ? [] : [`![share that churned by score](${plot})`]), '```\n' + calibrationText(calibration_points.candidate) + '```'].join('\n\n');

function importances({ importances: all }: ModelCard): string {
  const most = all[0]?.share ?? 0;
  return table(['feature', 'share', ''], all.slice(0, IMPORTANCES_SHOWN).map(({ feature, share }) =>
    [`\`${feature}\``, `${(share * 100).toFixed(1)} %`, '█'.repeat(most > 0 ? Math.round((share / most) * BAR) : 0)]));
}

function data({ data: { from, to, rows, hash, dataset_id, held_out }, view }: ModelCard): string {
  return table(['', ''], [
    ['trained on', `${rows} rows, moments after ${day(from)} up to ${day(to)}`],
    ['held out', `${held_out.rows} rows, moments after ${day(held_out.from)} up to ${day(held_out.to)}`],
    ['hash of the rows', `\`${hash}\``],
    ...(dataset_id === '' ? [] : [['stored as', `\`${dataset_id}\``]]),
    ['features', `view \`${view.name}\` version ${view.version}, ${view.features} features`],
  ]);
}

/** What JSON cannot hold, a figure that is undefined, is null when a card is read back. */
const number = (value: number | null): string => (value === null ? '' : show(value));
const withInterval = ({ value, low, high }: Interval): string => (value === null ? '' : `${show(value)} (${show(low ?? NaN)} to ${show(high ?? NaN)})`);
