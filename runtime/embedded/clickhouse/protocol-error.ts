import { messageOf } from '../../errors.js';

/** An error as ClickHouse's HTTP protocol tells it: a code of ClickHouse, its name, and a text. */
export class ProtocolError extends Error {
  constructor(readonly code: number, readonly codeName: string, text: string) {
    super(`Code: ${code}. DB::Exception: ${text} (${codeName})`);
  }
}

/** HTTP status by ClickHouse code, as ClickHouse's own server answers; every other code is 500. */
const STATUS_CODES: readonly (readonly [number, readonly number[]])[] = [
  [401, [194]],
  [403, [164, 192, 193, 497, 512, 516]],
  [400, [6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441, 675, 676]],
  [404, [46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 372, 511]],
  [408, [159]],
  [411, [381]],
  [413, [229]],
  [415, [779]],
  [501, [48]],
  [503, [76, 202, 209, 439]],
];
const statusByCode = new Map(STATUS_CODES.flatMap(([status, codes]) => codes.map((code) => [code, status] as const)));

export interface Answer {
  readonly status: number;
  readonly code: number;
  readonly text: string;
}

/** Where the data of an insert stood is no matter of the client's. */
const SPOOL_TRACE = /: \(in file\/uri [^)]*\)|: While executing File: data for INSERT was parsed from file/g;
const CODE = /Code: (\d+)\. /;

/** Turns whatever was thrown into what the client is told. */
export function answerFor(error: unknown, version: string): Answer {
  const message = messageOf(error);
  const found = CODE.exec(message);
  if (found === null) return { status: 500, code: 1002, text: `Code: 1002. DB::Exception: ${message} (UNKNOWN_EXCEPTION) (version ${version})\n` };
  const code = Number(found[1]);
  const text = message.slice(found.index).replace(/(?: \(version [^)]*\))+(?=\. \(|$)/g, '').replace(SPOOL_TRACE, '').trimEnd();
  return { status: statusByCode.get(code) ?? 500, code, text: `${text} (version ${version})\n` };
}
