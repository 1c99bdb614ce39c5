/** A table's name, with or without database, quoted. @throws RangeError for what is no name */
export function quoteTable(table: string): string {
  const parts = table.split('.');
  if (parts.length > 2 || !parts.every((part) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(part)))
    throw new RangeError(`'${table}' is no table name; expected [database.]table`);
  return parts.map((part) => `\`${part}\``).join('.');
}
