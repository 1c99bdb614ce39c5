import type { TrainResult } from './main.js';

const METRICS: readonly (readonly [key: string, title: string])[] = [
  ['auc', 'AUC'], ['auc_on_event', 'AUC after events'], ['auc_snapshot', 'AUC between events'], ['pr_auc', 'PR-AUC'],
  ['log_loss', 'log loss'], ['brier', 'Brier'], ['calibration_error', 'calibration error'], ['holdout_churn_rate', 'churn rate'], ['onnx_difference_max', 'ONNX against the library, largest difference'],
];
const date = (time: number | string): string => new Date(time).toISOString().slice(0, 10);

/** The end of `tidemark train`: what was trained on what, and a table of the holdout's figures. */
export function reportOf({ manifest, published, card, took_ms }: TrainResult): string {
  const { metrics, parameters } = manifest;
  const rows = METRICS.flatMap(([key, title]): [string, string][] => (metrics[key] === undefined ? [] : [[title, show(metrics[key])]]));
  const width = Math.max(...rows.map(([title]) => title.length));
  return [
    `${manifest.model} ${manifest.version}  ${published ? (card?.decision.entrance ?? 'published') : 'not published'}  (${(took_ms / 1000).toFixed(1)} s)`,
    `trained on ${manifest.data_rows} rows of ${date(manifest.data_from)} to ${date(manifest.data_to)}, ${modelOf(manifest)}, ${(manifest.onnx_bytes / 1024).toFixed(0)} kB`,
    `holdout of ${metrics['holdout_rows']} rows of ${date(parameters['holdout_from']!)} to ${date(parameters['holdout_to']!)}, churn within ${parameters['horizon_days']} days`,
    ...rows.map(([title, value]) => `  ${title.padEnd(width)}  ${value}`),
    ...(card === undefined ? [] : [`${card.decision.entrance === 'refused' ? 'refused' : 'accepted'}: ${card.decision.reason}`]),
    '',
  ].join('\n');
}

/** The family with what its size follows from. */
function modelOf({ family, parameters }: TrainResult['manifest']): string {
  const { rounds, max_depth, trees, calibration } = parameters as Readonly<Record<string, string | undefined>>;
  const shape = family === 'xgboost' ? `${rounds} rounds of depth ${max_depth}` : family === 'random_forest' ? `${trees} trees` : `ridge ${parameters['ridge']}`;
  return `${family.replaceAll('_', ' ')} of ${shape}${calibration === undefined || calibration === 'none' ? '' : `, calibrated (${calibration})`}`;
}

const show = (value: number): string => (value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential(1) : value.toFixed(4));
