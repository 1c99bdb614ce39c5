-- The channel of the event that was scored: empty in a sweep, and for predictions made before this column.
ALTER TABLE predictions ADD COLUMN IF NOT EXISTS channel LowCardinality(String) AFTER features_at;
