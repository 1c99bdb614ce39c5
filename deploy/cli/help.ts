import type { Command } from './command.js';

/** What `tidemark help` prints. */
export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => command.name.length)) + 2;
  return `Tidemark: events in Kafka become features and live scores.

Usage: tidemark COMMAND [options]     tidemark COMMAND --help

${commands.map((command) => `  ${command.name.padEnd(width)}${command.summary}`).join('\n')}

Settings are environment variables: tidemark settings lists them with their values.
`;
}

/** What `tidemark COMMAND --help` prints. */
export function commandHelp(command: Command): string {
  const usage = ['tidemark', command.name, command.positionals?.usage, '[options]'].filter((part) => part !== undefined).join(' ');
  const rows = Object.entries({ ...command.options, help: { type: 'boolean', short: 'h', description: 'show this' } as const }).map(([name, option]) => {
    const value = 'value' in option ? ` ${option.value}` : '';
    const short = 'short' in option ? `-${option.short}, ` : '    ';
    return [`${short}--${name}${value}`, option.description] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return `${command.summary}

Usage: ${usage}
${command.description === undefined ? '' : `\n${command.description}\n`}
Options:
${rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`).join('\n')}

Examples:
${command.examples.map(([line, meaning]) => `  ${line}\n      ${meaning}`).join('\n')}
`;
}
