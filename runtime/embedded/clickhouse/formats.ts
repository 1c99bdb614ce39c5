/** Content-Type by output format, as ClickHouse's own server sends it; the others are text/plain. */
const TYPES: readonly (readonly [RegExp, string])[] = [
  [/^(?:JSON\w*EachRow\w*|NDJSON|JSONLines|JSONL|PrettyNDJSON|PrettyJSONLines|PrettyJSONEachRow|JSONObjectEachRow)$/, 'application/x-ndjson; charset=UTF-8'],
  [/^(?:Geo)?JSON\w*$/, 'application/json; charset=UTF-8'],
  [/^CSV\w*$/, 'text/csv; charset=UTF-8'],
  [/^(?:TSV|TabSeparated)\w*$/, 'text/tab-separated-values; charset=UTF-8'],
  [/^XML$/, 'application/xml; charset=UTF-8'],
  [/^(?:Native|RowBinary\w*|Parquet|Arrow|ArrowStream|ORC|Avro|MsgPack|RawBLOB|Npy|BSONEachRow|Protobuf\w*|CapnProto|Buffers)$/, 'application/octet-stream'],
  [/^PNG$/, 'image/png'],
  [/^Prometheus$/, 'text/plain; version=0.0.4; charset=UTF-8'],
];

export const contentTypeOf = (format: string): string => TYPES.find(([pattern]) => pattern.test(format))?.[1] ?? 'text/plain; charset=UTF-8';

/**
 * Formats whose results may be sent chunk by chunk: the engine formats each chunk by itself, which makes one result where
 * rows stand alone. The others (a JSON document, a table drawn to its widest cell, a file with a footer) are made whole.
 */
const ROW_FORMATS = new Set([
  'TabSeparated', 'TSV', 'TabSeparatedRaw', 'TSVRaw', 'Raw', 'CSV', 'TSKV', 'LineAsString', 'RawBLOB', 'MsgPack', 'BSONEachRow',
  'JSONEachRow', 'JSONLines', 'JSONL', 'NDJSON', 'JSONStringsEachRow', 'JSONCompactEachRow', 'JSONCompactStringsEachRow',
  'RowBinary', 'Native',
]);

export const isRowFormat = (format: string): boolean => ROW_FORMATS.has(format);
