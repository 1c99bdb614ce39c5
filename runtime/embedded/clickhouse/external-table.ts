import type { Spool } from './body.js';
import type { Connection } from './engine.js';
import type { Part } from './multipart.js';
import { ProtocolError } from './protocol-error.js';
import { quoteName, quoteString } from './sql-text.js';

/** A table that a request brings along for its own query. */
export interface ExternalTable { readonly name: string; readonly structure: string; readonly format: string; readonly bytes: Buffer }

/** @param options values of `<name>_structure`, `<name>_types`, `<name>_format` */
export function externalTable(part: Part, options: Readonly<Record<string, string>>): ExternalTable {
  const types = options[`${part.name}_types`];
  const structure = options[`${part.name}_structure`] ?? types?.split(',').map((type, i) => `_${i + 1} ${type}`).join(', ');
  if (structure === undefined) throw new ProtocolError(36, 'BAD_ARGUMENTS', `External table ${part.name}: neither ${part.name}_structure nor ${part.name}_types is given.`);
  const format = options[`${part.name}_format`] ?? 'TabSeparated';
  if (!/^\w+$/.test(format)) throw new ProtocolError(73, 'UNKNOWN_FORMAT', `Unknown format ${format}.`);
  return { name: part.name, structure, format, bytes: part.bytes };
}

/** Makes it a temporary table of the connection. */
export async function createExternalTable(connection: Connection, spool: Spool, table: ExternalTable): Promise<void> {
  await connection.query(`CREATE TEMPORARY TABLE ${quoteName(table.name)} (${table.structure})`, 'Null');
  const file = await spool.fromBytes(table.bytes);
  try {
    await connection.query(`INSERT INTO ${quoteName(table.name)} FROM INFILE ${quoteString(file.path)} COMPRESSION 'none' FORMAT ${table.format}`, 'Null');
  } finally {
    await file.remove();
  }
}
