import { KEY_ROLES, type KeyRole } from '../../../scorer/security/core/roles.js';
import { parseIsoTime } from '../../../schemas/events/iso-time.js';
import { type Arguments, type Command, flagOf, textOf, UsageError } from '../command.js';

const ACTIONS: Readonly<Record<string, { readonly usage: string; readonly arguments: number; readonly options: readonly string[] }>> = {
  create: { usage: 'create NAME', arguments: 1, options: ['role', 'expires'] },
  list: { usage: 'list', arguments: 0, options: ['json'] },
  revoke: { usage: 'revoke ID', arguments: 1, options: [] },
  rotate: { usage: 'rotate ID', arguments: 1, options: ['overlap'] },
};
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const LIFETIME_MS_MAX = 3650 * 86_400_000;
const LIFETIME = '365d';
const OVERLAP = '24h';

export const keys: Command = {
  name: 'keys',
  summary: 'Create, list, revoke and rotate the keys that the scorer asks for',
  description:
    'A key’s text is shown once, alone on stdout; the file (SCORER_KEYS_FILE) holds its hash. Scorers on the same file follow within two seconds. ' +
    'With the first key the scorer begins to ask for one. ID may be the beginning of an id, or the name of a key that is in use.',
  positionals: { usage: 'create NAME | list | revoke ID | rotate ID', min: 1, max: 2 },
  options: {
    role: { type: 'string', value: 'ROLE', description: `create: ${KEY_ROLES.join(', ')}: each may do what the ones before it may` },
    expires: { type: 'string', value: 'TIME', description: `create: 30d, 12h, an ISO 8601 time with zone, or never (default ${LIFETIME})` },
    overlap: { type: 'string', value: 'TIME', description: `rotate: how long the old key goes on (default ${OVERLAP}; 0s: not at all)` },
    json: { type: 'boolean', description: 'list as JSON lines' },
  },
  examples: [
    ['tidemark keys create checkout --role scorer > checkout.key', 'a key that may ask for scores, into a file'],
    ['tidemark keys rotate checkout --overlap 1h', 'its successor; the old one for another hour'],
    ['tidemark keys revoke checkout', 'from now on refused'],
  ],
  async run(args) {
    const [action = '', ...rest] = args.positionals;
    const spec = ACTIONS[action];
    if (spec === undefined) throw new UsageError(`got ${JSON.stringify(action)}, expected ${Object.keys(ACTIONS).join(', ')}`);
    if (rest.length !== spec.arguments) throw new UsageError(`expected ${spec.usage}`);
    const stray = Object.keys(args.values).find((name) => !spec.options.includes(name));
    if (stray !== undefined) throw new UsageError(`${action} takes no --${stray}`);
    const [first = ''] = rest;
    const role = action === 'create' ? roleOf(args) : undefined;
    const lifetimeMs = lifetimeOf(textOf(args, 'expires') ?? LIFETIME);
    const overlapMs = durationOf('overlap', textOf(args, 'overlap') ?? OVERLAP);

    const [{ settingsOfRunning }, { createKey, listKeys, revokeKey, rotateKey }] = await Promise.all([import('../../endpoints.js'), import('../../keys/commands.js')]);
    const settings = settingsOfRunning();
    const tell = (text: string): void => { process.stderr.write(text); };
    const write = (text: string): void => { process.stdout.write(text); };
    if (role !== undefined) await createKey(settings, { name: first, role, lifetimeMs }, write, tell);
    else if (action === 'list') await listKeys(settings, flagOf(args, 'json'), write);
    else if (action === 'revoke') await revokeKey(settings, first, write, tell);
    else await rotateKey(settings, first, overlapMs, write, tell);
    return 0;
  },
};

function roleOf(args: Arguments): KeyRole {
  const text = textOf(args, 'role');
  const role = KEY_ROLES.find((known) => known === text);
  if (role === undefined) throw new UsageError(`--role: got ${text === undefined ? 'nothing' : JSON.stringify(text)}, expected one of ${KEY_ROLES.join(', ')}`);
  return role;
}

function durationOf(name: string, text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const ms = unit === undefined ? NaN : Number(count) * UNIT_MS[unit]!;
  if (!(ms <= LIFETIME_MS_MAX)) throw new UsageError(`--${name}: got ${JSON.stringify(text)}, expected a number and s, m, h or d, at most 3650d`);
  return ms;
}

/** From now, in ms; null for ever. */
function lifetimeOf(text: string): number | null {
  if (text === 'never') return null;
  const time = /^\d{4}-/.test(text) ? parseIsoTime(text) - Date.now() : durationOf('expires', text);
  if (!(time > 0 && time <= LIFETIME_MS_MAX)) throw new UsageError(`--expires: got ${JSON.stringify(text)}, expected 30d, 12h, a time to come in ISO 8601 with zone, or never`);
  return time;
}
