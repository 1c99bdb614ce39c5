import t from 'tap';
import { models } from '../../../../deploy/cli/commands/models.js';
import { findVersion } from '../../../../deploy/models/commands.js';
import { differencesOf, listVersions, table } from '../../../../deploy/models/core.js';
import { parseCommandLine } from '../../../../deploy/cli/parse.js';
import type { LedgerEntry } from '../../../../schemas/events/ledger-entry.js';
import { customerActivity as view } from '../../../../schemas/features/customer-activity.js';
import { ledgerEntry } from '../../../../schemas/ledger/entry.js';
import { logisticModel } from '../../../support/onnx.js';

const manifest = (version: string, seed: number, changes = {}) => logisticModel(view, version, seed, { stage: 'candidate', ...changes }).manifest;
const manifests = [manifest('20260101T000000Z-aaaa', 1, { stage: 'champion' }), manifest('20260102T000000Z-bbbb', 2), manifest('20260103T000000Z-cccc', 3), manifest('20260104T000000Z-dddd', 4), manifest('20260105T000000Z-eeee', 5)];
const [, b, c, d, e] = manifests.map(({ version }) => version) as [string, string, string, string, string];
let at = 0;
const entry = (action: LedgerEntry['action'], version: string, more: Partial<LedgerEntry> = {}): LedgerEntry => ledgerEntry({ model: 'churn', version, action, at: ++at, by: 'trainer', reason: `why ${at}`, ...more }, String(at));
const entries = [entry('registered', b), entry('refused', b), entry('promoted', c), entry('promoted', d), entry('canary', e, { share: 0.1 })];

t.test('the list says what each version is now and why', async (t) => {
  const listed = listVersions(manifests, entries);
  t.same(listed.map(({ version, stage }) => `${version.slice(-4)} ${stage}`), ['eeee canary 0.1', 'dddd champion', 'cccc former', 'bbbb refused', 'aaaa former']);
  t.match(listed[3], { by: 'trainer', reason: 'why 2', auc: 0.5, log_loss: undefined });
});

t.test('a version is found by its name, a piece of it, or what it is', async (t) => {
  const find = (given: string): string => findVersion({ model: 'churn', manifests, entries }, given).version;
  t.equal(find(b), b);
  t.equal(find('cccc'), c);
  t.equal(find('champion'), d);
  t.equal(find('challenger'), e);
  t.throws(() => find('2026'), { code: 'NOT_FOUND', message: /5 versions are like it/ });
  t.throws(() => find('20260103T000000Z-cccd'), { code: 'NOT_FOUND', message: /did you mean 20260103T000000Z-cccc\?/ });
  t.throws(() => find('nothing'), { code: 'NOT_FOUND', message: /tidemark models list shows them/ });
});

t.test('what two versions differ in', async (t) => {
  const changed = manifest('x', 1, { data_rows: 10, metrics: { auc: 0.75, brier: 0.1 }, parameters: { depth: '4' }, features: ['a', ...manifests[0]!.features.slice(1)] });
  const said = differencesOf(manifests[0]!, changed).map((row) => row.join(' | '));
  t.ok(said.includes('rows | 4 | 10 | +6'));
  t.ok(said.includes('auc | 0.50000 | 0.75000 | +0.25000'));
  t.ok(said.includes('brier | - | 0.10000 | '));
  t.ok(said.includes('parameter depth | - | 4 | '));
  t.ok(said.includes('features | -events_24h | +a | '));
  t.same(differencesOf(manifests[0]!, manifests[0]!), []);
  t.equal(table(['a', 'long'], [['xyz', '1']]), 'a    long\nxyz  1\n');
});

t.test('wrong command lines are refused before anything is asked', async (t) => {
  const run = async (...argv: string[]): Promise<number> => {
    const parsed = parseCommandLine(models, argv);
    return parsed.help ? 0 : models.run(parsed);
  };
  const cases: [string[], RegExp][] = [
    [[], /expected list \| show VERSION/],
    [['remove'], /got "remove", expected list, show, diff, promote, rollback, import/],
    [['show'], /expected show VERSION/],
    [['diff', 'a'], /expected diff VERSION VERSION/],
    [['list', '--why', 'x'], /list takes no --why/],
    [['promote', 'a', '--shadow', '--canary', '0.1'], /give one of/],
    [['promote', 'a', '--canary', '2'], /--canary: got "2", expected a number from 0 to 1/],
    [['promote', 'a', '--full'], /promote takes no --full/],
    [['import', 'm.onnx'], /give either --check CSV or --unchecked/],
    [['import', 'm.onnx', '--check', 'c.csv', '--unchecked'], /give either/],
    [['list', '--jsn'], /did you mean --json\?/],
  ];
  for (const [argv, message] of cases) await t.rejects(run(...argv), { name: 'UsageError', message }, argv.join(' '));
});
