import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TidemarkError } from '../runtime/errors.js';
import { PROJECT_ROOT } from '../runtime/paths.js';

export interface Migration {
  readonly number: number;
  readonly name: string;
  /** SHA-256 of the file's text, whatever its line ends. */
  readonly checksum: string;
  readonly statements: readonly string[];
}

export const MIGRATIONS_FOLDER = join(PROJECT_ROOT, 'clickhouse', 'migrations');
const FILE_NAME = /^(\d{4})_[a-z0-9_]+\.sql$/;

/** The numbered files, in order. @throws TidemarkError INTERNAL for a misnamed file or a number used twice */
export async function readMigrations(folder: string = MIGRATIONS_FOLDER): Promise<Migration[]> {
  const migrations: Migration[] = [];
  for (const file of (await readdir(folder)).sort()) {
    const number = Number(FILE_NAME.exec(file)?.[1] ?? NaN);
    if (Number.isNaN(number)) throw new TidemarkError('INTERNAL', `${join(folder, file)}: migrations are named 0001_what_it_does.sql`);
    if (migrations.at(-1)?.number === number) throw new TidemarkError('INTERNAL', `${folder}: number ${number} stands twice`);
    const sql = (await readFile(join(folder, file), 'utf8')).replaceAll('\r\n', '\n');
    migrations.push({ number, name: file.slice(0, -4), checksum: createHash('sha256').update(sql).digest('hex'), statements: splitStatements(sql) });
  }
  return migrations;
}

/** A statement ends with a semicolon at the end of a line; lines that begin with `--` are comments. */
export function splitStatements(sql: string): string[] {
  return sql.split('\n').filter((line) => !line.trimStart().startsWith('--')).join('\n')
    .split(/;[ \t]*(?:\n|$)/).map((statement) => statement.trim()).filter((statement) => statement !== '');
}
