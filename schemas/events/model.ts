/**
 * What the trainer publishes on `models` (one partition, compacted). A version is one manifest record, key
 * `<model>/<version>`, preceded by its chunks, keys `<model>/<version>#<index>`, whose values are the raw ONNX bytes.
 * The manifest is written last, in the same transaction: a reader that sees it has the chunks.
 */
export const MODEL_CHUNK_BYTES = 900_000;

export const MODEL_STAGES = ['candidate', 'shadow', 'canary', 'champion', 'retired'] as const;
export type ModelStage = (typeof MODEL_STAGES)[number];

/**
 * How one feature, or `score`, was distributed in the rows that a model was fitted on (`score`: in its held-out rows): the
 * columns of ClickHouse's feature_hours, with the same bins (clickhouse/feature-columns.ts).
 */
export interface FeatureProfile {
  feature: string;
  /** Empty for all rows, else `channel=web`, `tenure=0-30`. */
  segment: string;
  /** Ascending. */
  bins: number[];
  /** Rows in each of them. */
  rows: number[];
  /** Sum of the values, of their squares, and the extremes; missing values count as 0. */
  total: number;
  squares: number;
  low: number;
  high: number;
}

export interface ModelManifest {
  model: string;
  /** Sortable by age: UTC time of training and a piece of the content hash, `20260115T093000Z-1a2b3c4d`. */
  version: string;
  stage: ModelStage;
  /** xgboost, random_forest, logistic_regression, imported. */
  family: string;
  view: string;
  view_version: number;
  /** Input names in the order of the model's columns. */
  features: string[];
  /** Epoch milliseconds. */
  created_at: number;
  onnx_bytes: number;
  onnx_sha256: string;
  chunk_count: number;
  metrics: Record<string, number>;
  parameters: Record<string, string>;
  /** Lineage: what the model was trained on. */
  data_hash: string;
  data_from: number;
  data_to: number;
  data_rows: number;
  /** Rows that a loaded model must reproduce to 1e-5 before it serves; NaN is written as null. */
  test_inputs: (number | null)[][];
  test_outputs: number[];
  /** The reference that drift is measured against. */
  profile: FeatureProfile[];
  /** Content hash of the stored training set; empty where it was not stored. */
  dataset_id: string;
  /** The retrain event that asked for it; empty where none did. */
  retrain_event_id: string;
  /** Model card, JSON; empty where there is none. */
  card: string;
}

/** What manifests written before these fields, or by others, are read with. */
export const MANIFEST_DEFAULTS = { profile: [] as FeatureProfile[], dataset_id: '', retrain_event_id: '', card: '' } satisfies Partial<ModelManifest>;

const nullableDouble = ['null', 'double'];
export const MODEL_MANIFEST_AVRO = {
  type: 'record',
  name: 'ModelManifest',
  namespace: 'tidemark',
  fields: [
    { name: 'model', type: 'string' },
    { name: 'version', type: 'string' },
    { name: 'stage', type: { type: 'enum', name: 'ModelStage', symbols: [...MODEL_STAGES], default: 'candidate' } },
    { name: 'family', type: 'string' },
    { name: 'view', type: 'string' },
    { name: 'view_version', type: 'int' },
    { name: 'features', type: { type: 'array', items: 'string' } },
    { name: 'created_at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'onnx_bytes', type: 'int' },
    { name: 'onnx_sha256', type: 'string' },
    { name: 'chunk_count', type: 'int' },
    { name: 'metrics', type: { type: 'map', values: 'double' } },
    { name: 'parameters', type: { type: 'map', values: 'string' } },
    { name: 'data_hash', type: 'string' },
    { name: 'data_from', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'data_to', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'data_rows', type: 'long' },
    { name: 'test_inputs', type: { type: 'array', items: { type: 'array', items: nullableDouble } } },
    { name: 'test_outputs', type: { type: 'array', items: 'double' } },
    {
      name: 'profile',
      default: [],
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'FeatureProfile',
          fields: [
            { name: 'feature', type: 'string' },
            { name: 'segment', type: 'string' },
            { name: 'bins', type: { type: 'array', items: 'int' } },
            { name: 'rows', type: { type: 'array', items: 'long' } },
            { name: 'total', type: 'double' },
            { name: 'squares', type: 'double' },
            { name: 'low', type: 'double' },
            { name: 'high', type: 'double' },
          ],
        },
      },
    },
    { name: 'dataset_id', type: 'string', default: '' },
    { name: 'retrain_event_id', type: 'string', default: '' },
    { name: 'card', type: 'string', default: '' },
  ],
} as const;
