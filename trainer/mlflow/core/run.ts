import type { ModelManifest } from '../../../schemas/events/model.js';

/** A name and its value, as MLflow's REST API has them. */
export interface Entry {
  readonly key: string;
  readonly value: string;
}

export interface MlflowRun {
  readonly name: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly tags: readonly Entry[];
  readonly params: readonly Entry[];
  readonly metrics: readonly { readonly key: string; readonly value: number; readonly timestamp: number; readonly step: number }[];
}

/** The tag by which a run and a registered version are found again. */
export const VERSION_TAG = 'tidemark.version';

/** MLflow's own bounds on one request and one value. */
const BOUNDS = { params: 100, metrics: 1000, value_length: 6000, tag_length: 5000 };
/** Names that MLflow takes: letters, digits and _-. /: ; anything else becomes _. */
const nameOf = (text: string): string => text.replace(/[^\w\-. /:]/g, '_').slice(0, 250);

/** A published version as a run: what it was trained on and with, what it measured. Values without a number are left out. */
export function runOf(manifest: ModelManifest): MlflowRun {
  const { metrics, parameters, version, created_at: at } = manifest;
  return {
    name: version,
    at,
    tags: entriesOf({
      [VERSION_TAG]: version, 'tidemark.model': manifest.model, 'tidemark.family': manifest.family, 'tidemark.view': `${manifest.view} ${manifest.view_version}`,
      'tidemark.dataset_id': manifest.dataset_id, 'tidemark.data_hash': manifest.data_hash, 'tidemark.onnx_sha256': manifest.onnx_sha256,
      'tidemark.retrain_event_id': manifest.retrain_event_id, 'mlflow.source.name': 'tidemark', 'mlflow.source.type': 'LOCAL', 'mlflow.user': 'tidemark',
    }, BOUNDS.tag_length),
    params: entriesOf({
      family: manifest.family, ...parameters, data_from: new Date(manifest.data_from).toISOString(), data_to: new Date(manifest.data_to).toISOString(), data_rows: String(manifest.data_rows),
    }, BOUNDS.value_length).slice(0, BOUNDS.params),
    metrics: Object.entries(metrics).filter(([, value]) => Number.isFinite(value)).slice(0, BOUNDS.metrics)
      .map(([name, value]) => ({ key: nameOf(name), value, timestamp: at, step: 0 })),
  };
}

const entriesOf = (values: Readonly<Record<string, string>>, length: number): Entry[] =>
  Object.entries(values).filter(([, value]) => value !== '').map(([name, value]) => ({ key: nameOf(name), value: value.slice(0, length) }));

/** The file MLmodel, which makes a folder a model of MLflow: `mlflow.onnx` and `mlflow.pyfunc` load it. @param run_id of its run */
export function mlmodelText(manifest: Pick<ModelManifest, 'features' | 'created_at' | 'version'>, run_id: string): string {
  const tensor = (shape: readonly number[]): string => JSON.stringify(JSON.stringify([{ type: 'tensor', 'tensor-spec': { dtype: 'float32', shape } }]));
  return `artifact_path: model
flavors:
  onnx:
    code: null
    data: model.onnx
    providers:
    - CPUExecutionProvider
  python_function:
    data: model.onnx
    loader_module: mlflow.onnx
metadata:
  features: ${JSON.stringify(manifest.features)}
  tidemark_version: ${JSON.stringify(manifest.version)}
run_id: ${JSON.stringify(run_id)}
signature:
  inputs: ${tensor([-1, manifest.features.length])}
  outputs: ${tensor([-1])}
  params: null
utc_time_created: ${JSON.stringify(new Date(manifest.created_at).toISOString().replace('T', ' ').replace('Z', '000'))}
`;
}
