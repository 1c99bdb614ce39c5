-- What computed the score: ONNX Runtime, platform, release. Empty for predictions made before this column.
ALTER TABLE predictions ADD COLUMN IF NOT EXISTS runtime LowCardinality(String) AFTER degraded;
