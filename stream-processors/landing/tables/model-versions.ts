import type { FeatureProfile, ModelManifest } from '../../../schemas/events/model.js';
import { TOPICS } from '../../../schemas/topics.js';
import { TidemarkError } from '../../../runtime/errors.js';
import type { ManifestCodec } from '../../../runtime/models/assemble.js';
import type { RowWriter } from '../core/row-writer.js';
import type { TableSpec } from '../table.js';
import { KAFKA_COLUMNS, writeKafkaColumns, writeMap } from './kafka-columns.js';

/** Manifests of published models: one row each time a version is published, its stage as it was then. @param skipped a record that is no manifest */
export function modelVersionsTable(codec: ManifestCodec, skipped: (error: string) => void): TableSpec {
  return {
    topic: TOPICS.models.name,
    table: 'model_versions',
    columns: ['model', 'version', 'stage', 'family', 'view', 'view_version', 'features', 'created_at', 'onnx_bytes', 'onnx_sha256', 'chunk_count',
      'metrics', 'parameters', 'data_hash', 'data_from', 'data_to', 'data_rows',
      'profile_features', 'profile_segments', 'profile_bins', 'profile_rows', 'profile_totals', 'profile_squares', 'profile_lows', 'profile_highs', ...KAFKA_COLUMNS],
    async encode(record, partition, out) {
      // chunks of the ONNX bytes have a key with #; a deleted version has no value
      if (record.value === null || record.key?.includes('#') === true) return false;
      let manifest: ModelManifest;
      try {
        manifest = await codec.decode(record.value);
      } catch (error) {
        if (error instanceof TidemarkError && error.code === 'REGISTRY_UNREACHABLE') throw error;
        skipped(error instanceof Error ? error.message : String(error));
        return false;
      }
      writeManifest(out, manifest);
      writeKafkaColumns(out, partition, record);
      return true;
    },
  };
}

function writeManifest(out: RowWriter, manifest: ModelManifest): void {
  for (const text of [manifest.model, manifest.version, manifest.stage, manifest.family, manifest.view]) out.string(text);
  out.reserve(7);
  out.uint16(manifest.view_version);
  out.varint(manifest.features.length);
  for (const name of manifest.features) out.string(name);
  out.reserve(16);
  out.int64(manifest.created_at);
  out.int64(manifest.onnx_bytes);
  out.string(manifest.onnx_sha256);
  out.reserve(9);
  out.uint32(manifest.chunk_count);
  const metrics = Object.entries(manifest.metrics);
  out.varint(metrics.length);
  for (const [name, value] of metrics) {
    out.string(name);
    out.reserve(8);
    out.float64(value);
  }
  writeMap(out, manifest.parameters);
  out.string(manifest.data_hash);
  out.reserve(24);
  out.int64(manifest.data_from);
  out.int64(manifest.data_to);
  out.int64(manifest.data_rows);
  writeProfile(out, manifest.profile);
}

function writeProfile(out: RowWriter, profile: readonly FeatureProfile[]): void {
  array(out, profile, ({ feature }) => out.string(feature));
  array(out, profile, ({ segment }) => out.string(segment));
  array(out, profile, ({ bins }) => array(out, bins, (bin) => { out.reserve(2); out.uint16(bin & 0xffff); }));
  array(out, profile, ({ rows }) => array(out, rows, (count) => { out.reserve(8); out.int64(count); }));
  for (const column of ['total', 'squares', 'low', 'high'] as const) array(out, profile, (one) => { out.reserve(8); out.float64(one[column]); });
}

function array<T>(out: RowWriter, values: readonly T[], write: (value: T) => void): void {
  out.reserve(5);
  out.varint(values.length);
  for (const value of values) write(value);
}
