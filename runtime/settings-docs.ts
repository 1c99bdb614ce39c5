import { SECRETS, SETTINGS, type Settings } from './settings.js';

export interface SettingDoc {
  readonly name: keyof Settings;
  /** As it would be written into the environment; empty where it is unset by default. */
  readonly preset: string;
  readonly meaning: string;
  readonly secret: boolean;
}

/** Every setting in the order of its declaration. */
export const SETTING_DOCS: readonly SettingDoc[] = (Object.keys(SETTINGS) as (keyof Settings)[]).map((name) => {
  const preset: unknown = SETTINGS[name].parse(undefined);
  return {
    name,
    preset: preset === undefined ? '' : String(preset),
    meaning: SETTINGS[name].description ?? '',
    secret: isSecret(name),
  };
});

export function isSecret(name: string): boolean {
  return (SECRETS as readonly string[]).includes(name);
}

/** README's table of settings. */
export function settingsTable(): string {
  const rows = SETTING_DOCS.map(({ name, preset, meaning, secret }) =>
    `| \`${name}\` | ${preset === '' ? '' : `\`${preset}\``} | ${meaning}${secret ? ` (or its file in \`${name}_FILE\`)` : ''} |`);
  return ['| variable | default | what |', '|---|---|---|', ...rows].join('\n');
}

/** .env.example: every setting, commented out, with its default. */
export function envExample(): string {
  const lines = SETTING_DOCS.map(({ name, preset, meaning, secret }) =>
    `# ${meaning}${secret ? `; or its file in ${name}_FILE` : ''}\n#${name}=${preset}\n`);
  return `# Settings of Tidemark: copy to .env, take the # from what you change, start with: set -a; . ./.env; set +a; npm start\n\n${lines.join('\n')}`;
}

/** The value of a setting for people: secrets are stars, credentials in an address too. */
export function shownValue(name: string, value: unknown): string {
  if (value === undefined) return '';
  if (isSecret(name)) return '***';
  return String(value).replace(/(:\/\/[^/@:]*):[^/@]*@/, '$1:***@');
}
