import { createHash, timingSafeEqual } from 'node:crypto';
import { ProtocolError } from './protocol-error.js';
import type { Connection } from './engine.js';
import { firstKeyword, type StatementShape } from './sql-text.js';

/** `default` may do everything that the engine allows; `reader` may only look. */
export type User = 'default' | 'reader';
export interface Passwords {
  /** Empty: `default` needs none, as on a fresh ClickHouse. */
  readonly default: string;
  /** Empty: there is no user `reader`. */
  readonly reader: string;
}

const same = (a: string, b: string): boolean => timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());

/** @throws ProtocolError 516, with the same text for a wrong name and a wrong password */
export function authenticate(user: string, password: string, passwords: Passwords): User {
  if (user === 'default' && same(password, passwords.default)) return 'default';
  if (user === 'reader' && passwords.reader !== '' && same(password, passwords.reader)) return 'reader';
  throw new ProtocolError(516, 'AUTHENTICATION_FAILED', `${user}: Authentication failed: password is incorrect, or there is no user with such name.`);
}

/**
 * Table functions that compute or read tables only. All others reach files, other machines or programs, which the engine
 * would open with this process's own rights.
 */
const HARMLESS_TABLE_FUNCTIONS = new Set([
  'numbers', 'numbers_mt', 'zeros', 'zeros_mt', 'generateseries', 'generate_series', 'primes', 'values', 'sqlstandardvalues', 'null',
  'view', 'viewifpermitted', 'viewexplain', 'merge', 'generaterandom', 'mergetreeindex', 'mergetreeprojection', 'dictionary', 'format', 'loop',
]);
/** Plain functions that reach outside. */
const REACHING_FUNCTIONS = ['file', 'catboostevaluate', 'sleep', 'sleepeachrow', 'addresstoline', 'addresstosymbol', 'demangle'];

export class ReaderGate {
  private readonly refused: ReadonlySet<string>;
  /** @param tableFunctions names of the engine's table functions */
  constructor(tableFunctions: readonly string[]) {
    const names = tableFunctions.map((name) => name.toLowerCase()).filter((name) => !HARMLESS_TABLE_FUNCTIONS.has(name));
    this.refused = new Set([...names, ...REACHING_FUNCTIONS]);
  }

  /**
   * Lets one statement that only reads through. The engine's readonly mode stands behind it; this stops what that mode
   * lets pass in an embedded engine: files, other hosts, KILL.
   */
  async check(connection: Connection, sql: string, shape: StatementShape): Promise<void> {
    for (const name of shape.calls)
      if (this.refused.has(name)) throw new ProtocolError(497, 'ACCESS_DENIED', `reader: Not enough privileges. To execute this query, it's necessary to have the grant for ${name}().`);
    const keyword = firstKeyword(sql);
    if (keyword === 'SET' || keyword === 'USE') return;
    const { reach } = await connection.classify(sql);
    if (reach !== 'read') throw new ProtocolError(164, 'READONLY', 'reader: Cannot execute query in readonly mode.');
  }
}
