import { type Command, flagOf } from '../command.js';

const REQUEST_TIMEOUT_MS = 10_000;

export const features: Command = {
  name: 'features',
  summary: 'Show the latest features of a customer from the scorer’s online store',
  positionals: { usage: 'CUSTOMER', min: 1, max: 1 },
  options: { json: { type: 'boolean', description: 'print the scorer’s answer as it is' } },
  examples: [
    ['tidemark features c000042', 'the vector that the next score would be made from'],
    ['tidemark features c000042 --json', 'the same for other programs'],
  ],
  async run(args) {
    const [{ settingsOfRunning }, { TidemarkError }] = await Promise.all([import('../../endpoints.js'), import('../../../runtime/errors.js')]);
    const { SCORER_HOST, SCORER_PORT } = settingsOfRunning();
    const customer = args.positionals[0] ?? '';
    const base = `http://${SCORER_HOST === '0.0.0.0' ? '127.0.0.1' : SCORER_HOST}:${SCORER_PORT}`;
    const response = await fetch(`${base}/customers/${encodeURIComponent(customer)}`, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) }).catch((error: unknown) => {
      throw new TidemarkError('PART_NOT_READY', `no scorer answers on ${base}; start tidemark up, or set SCORER_HOST and SCORER_PORT`, { cause: error });
    });
    const text = await response.text();
    if (!response.ok) throw new TidemarkError(response.status === 404 ? 'NOT_FOUND' : 'PART_NOT_READY', `customer ${customer}: ${detailOf(text) ?? `HTTP ${response.status}`}`);
    process.stdout.write(flagOf(args, 'json') ? `${text}\n` : render(JSON.parse(text) as Record<string, unknown>));
    return 0;
  },
};

function detailOf(text: string): string | undefined {
  try {
    const problem = JSON.parse(text) as { detail?: string; title?: string };
    return problem.detail ?? problem.title;
  } catch {
    return undefined;
  }
}

/** One field a line; the features, which stand in an object of their own, indented under it. */
function render(answer: Record<string, unknown>): string {
  const lines: string[] = [];
  for (const [name, value] of Object.entries(answer)) {
    if (value === null || typeof value !== 'object') {
      lines.push(`${name}  ${show(value)}`);
      continue;
    }
    const width = Math.max(0, ...Object.keys(value).map((key) => key.length));
    lines.push(name, ...Object.entries(value).map(([key, item]) => `  ${key.padEnd(width)}  ${show(item)}`));
  }
  return `${lines.join('\n')}\n`;
}

const show = (value: unknown): string => (value === null ? '–' : typeof value === 'object' ? JSON.stringify(value) : String(value));
