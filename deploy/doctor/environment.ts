import { SETTING_DOCS } from '../../runtime/settings-docs.js';
import { closest } from '../cli/closest.js';
import { type Check, ok, warn } from './check.js';

const KNOWN = SETTING_DOCS.flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name]));
/** A variable of another program may look much like one of ours; only a slip of the fingers is told. */
const LENGTH_DIFFERENCE_MAX = 2;

/** Variables that are nearly, but not quite, the name of a setting, with the name that was meant. */
export function misspelt(env: Readonly<Record<string, string | undefined>>): { readonly name: string; readonly meant: string }[] {
  const known = new Set<string>(KNOWN);
  return Object.keys(env).flatMap((name) => {
    if (known.has(name) || !/^[A-Z][A-Z0-9]*_[A-Z0-9_]+$/.test(name)) return [];
    const near = KNOWN.filter((candidate) => Math.abs(candidate.length - name.length) <= LENGTH_DIFFERENCE_MAX && candidate.slice(0, 3) === name.slice(0, 3));
    const meant = closest(name, near);
    return meant === undefined ? [] : [{ name, meant }];
  });
}

export const environment: Check = {
  name: 'settings', quick: false, applies: () => true,
  async run() {
    const set = KNOWN.filter((name) => (process.env[name] ?? '') !== '');
    const slips = misspelt(process.env);
    if (slips.length === 0) return ok(set.length === 0 ? 'none set: defaults' : `set: ${set.join(', ')}`);
    return warn(slips.map(({ name, meant }) => `${name} is not a setting; ${meant} is`).join('; '), 'rename the variable, or leave it if it is another program’s');
  },
};
