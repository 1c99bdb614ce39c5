import { letterId, type DeadLetter } from '../../runtime/dead-letters/letters.js';
import type { RedriveResult } from '../../runtime/dead-letters/redrive.js';

const DUMP_BYTES_MAX = 4096;
const LINE_BYTES = 16;

/** One letter a line: where it is, when it failed, why, where it came from, its key. */
export function letterLine({ partition, record, info }: DeadLetter, redriven: boolean): string {
  const id = `${partition}:${record.offset}`;
  const source = `${info.topic}-${info.partition}@${info.offset}`;
  return `${id.padEnd(12)} ${new Date(info.failedAt).toISOString()}  ${(redriven ? `${info.reason}*` : info.reason).padEnd(20)} ${source.padEnd(26)} ${shown(record.key?.toString() ?? '–', 32).padEnd(20)} ${shown(info.error, 120)}`;
}

export function letterJson({ partition, record, info }: DeadLetter, redriven: boolean): string {
  return JSON.stringify({
    id: letterId(partition, record.offset), partition, offset: record.offset, failed_at: new Date(info.failedAt).toISOString(),
    reason: info.reason, error: info.error, source_topic: info.topic, source_partition: info.partition, source_offset: info.offset,
    source_time: new Date(info.timestamp).toISOString(), key: record.key?.toString() ?? null, bytes: record.value?.length ?? null, redriven,
  });
}

/** How many letters of each reason, most first. */
export function countLines(counts: ReadonlyMap<string, number>, shownRows: number): string {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (total === 0) return 'no dead letters\n';
  const parts = [...counts].sort(([, a], [, b]) => b - a).map(([reason, count]) => `${reason} ${count}`);
  return `${total} dead letters: ${parts.join(', ')}${shownRows < total ? `; the latest ${shownRows} are shown (--limit)` : ''}; * sent back\n`;
}

/** A whole letter: why, from where, its headers, and its value as JSON text or a dump of its bytes. */
export function letterPage(letter: DeadLetter, redriven: boolean, decoded: string | undefined): string {
  const { partition, record, info } = letter;
  const rows: [string, string][] = [
    ['dead letter', `${partition}:${record.offset}${redriven ? ', sent back' : ''}`],
    ['reason', info.reason],
    ['error', info.error],
    ['failed at', new Date(info.failedAt).toISOString()],
    ['source', `${info.topic}, partition ${info.partition}, offset ${info.offset}, ${new Date(info.timestamp).toISOString()}`],
    ['key', record.key === null ? 'none' : shown(record.key.toString(), 200)],
    ...Object.entries(info.kept).map(([name, value]): [string, string] => [`header ${shown(name, 60)}`, shown(value.toString(), 200)]),
    ['value', record.value === null ? 'none (a tombstone)' : `${record.value.length} bytes`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const head = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('');
  const value = record.value === null ? '' : `\n${prettyJson(record.value) ?? hexDump(record.value)}`;
  return `${head}${value}${decoded === undefined ? '' : `\nas its writer schema reads it:\n${decoded}\n`}`;
}

function prettyJson(value: Buffer): string | undefined {
  if (value[0] !== 0x7b && value[0] !== 0x5b) return undefined;
  try {
    return value.length > DUMP_BYTES_MAX ? undefined : `${printable(JSON.stringify(JSON.parse(value.toString()), undefined, 2))}\n`;
  } catch {
    return undefined;
  }
}

/** Offsets, sixteen bytes a line, and their printable ASCII. */
export function hexDump(bytes: Buffer): string {
  let out = '';
  const end = Math.min(bytes.length, DUMP_BYTES_MAX);
  for (let at = 0; at < end; at += LINE_BYTES) {
    const line = bytes.subarray(at, Math.min(at + LINE_BYTES, end));
    const hex = line.toString('hex').replace(/../g, '$& ').padEnd(LINE_BYTES * 3);
    out += `${at.toString(16).padStart(8, '0')}  ${hex} ${line.toString('latin1').replace(/[^\x20-\x7e]/g, '.')}\n`;
  }
  return bytes.length > end ? `${out}… ${bytes.length - end} bytes more\n` : out;
}

export function redriveLines({ redriven, already, stillBroken }: RedriveResult, dryRun: boolean): string {
  const broken = [...stillBroken].map(([reason, count]) => `${reason} ${count}`).join(', ');
  return `${redriven} ${dryRun ? 'would be sent back' : 'sent back to customer-events'}\n` +
    (already > 0 ? `${already} were sent back before\n` : '') +
    (broken === '' ? '' : `not sent, they would fail again: ${broken} (--force sends them all the same)\n`);
}

/** One line that cannot drive a terminal: control characters are replaced. */
const shown = (text: string, lengthMax: number): string => printable(text.length > lengthMax ? `${text.slice(0, lengthMax - 1)}…` : text).replace(/\n/g, ' ');
const printable = (text: string): string => text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '·');
