import t from 'tap';
import type { Page } from 'playwright-core';
import { migrate } from '../../../clickhouse/migrate.js';
import { createClickHouse } from '../../../runtime/clickhouse.js';
import { offsetRanges } from '../../../runtime/kafka/read-partition.js';
import { Log } from '../../../runtime/log.js';
import { customerActivity as view } from '../../../schemas/features/customer-activity.js';
import { featureNames } from '../../../schemas/features/derive.js';
import { TOPICS } from '../../../schemas/topics.js';
import { startScorer } from '../../../scorer/main.js';
import { requestRetraining } from '../../../stream-processors/drift/request.js';
import { audit, CHROMIUM, complaintsOf, hasChromium, launchChromium } from '../../support/browser.js';
import { testLog } from '../../support/cluster.js';
import { writePageRows } from '../../support/page-rows.js';
import { startScoringCluster } from '../../support/scoring-cluster.js';
import { stumpModel } from '../../support/tree-model.js';
import { until } from '../../support/wait.js';

/** The live page in a real browser, on a real scorer, broker, registry and ClickHouse. */
t.setTimeout(400_000);
if (!hasChromium) {
  t.pass('skipped', { skip: `no browser at ${CHROMIUM}: apt-get install chromium, or CHROMIUM=…` });
  process.exit();
}
const [cluster, browser] = await Promise.all([startScoringCluster(t, { partitions: 2, clickhouse: true }), launchChromium()]);
t.teardown(() => browser.close());
const { settings } = cluster;
const client = createClickHouse(settings);
t.teardown(() => client.close());
await migrate(client, settings);

const failures: unknown[] = [];
const log = new Log('scorer', 'error', (line) => { failures.push(line); });
const start = (): ReturnType<typeof startScorer> => startScorer(settings, log, (error) => { failures.push(error); }, (request) => requestRetraining(settings, testLog, request));

/** The champion: three features that each add to the log-odds below a value or from it on; what is missing counts as below. */
const STUMPS = [
  { name: 'events_7d', at: 2, weights: [1.2, -1.2], cover: [100, 300] }, { name: 'days_since_last_purchase', at: 10, weights: [-1, 1.5], cover: [300, 100] }, { name: 'spend_30d', at: 10, weights: [0.5, -0.5], cover: [100, 300] },
] as const;
const names = featureNames(view);
const model = stumpModel(view, 'm1', STUMPS.map(({ name, ...stump }) => ({ feature: names.indexOf(name), ...stump })));
const sigmoid = (margin: number): number => 1 / (1 + Math.exp(-margin));
const scoreOf = (values: Record<string, number>): number => sigmoid(model.margin(names.map((name) => values[name] ?? NaN)));
function weightOf(feature: string, value: number | null): number {
  const { at, weights } = STUMPS.find(({ name }) => name === feature)!;
  return value === null || value < at ? weights[0] : weights[1];
}
const descriptionOf = (feature: string): string => view.features.find(({ name }) => name === feature)!.description.split(';')[0]!;
/** Three digits that matter, as the page writes them; the values here have halves. */
const written = (value: number | null): string => (value === null ? 'none' : value.toFixed(Math.abs(value) >= 10 ? 1 : 2));
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
let scorer = await start();
t.teardown(() => scorer.stop());
const url = `http://127.0.0.1:${scorer.port}/`;
const page: Page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: 'light' });
page.setDefaultTimeout(30_000);
// Chromium now and then loses the event of a changed media query: here it loses all.
await page.addInitScript('MediaQueryList.prototype.addEventListener = () => undefined');
const complaints = complaintsOf(page);
/** Publishes until the page shows what is waited for: a condition, whatever the machine's pace. */
async function whilePublishing(what: string, holds: () => Promise<boolean>): Promise<void> {
  let last = 0;
  await until(what, async () => {
    if (Date.now() - last > 250) { last = Date.now(); await cluster.publishFeatures(40); }
    return holds();
  });
}
/** Waits until an element's text is as expected. */
const reads = (selector: string, text: RegExp): Promise<void> => page.locator(selector).filter({ hasText: text }).first().waitFor();
const vital = async (name: string): Promise<string> => (await page.locator('.vital', { hasText: name }).locator('strong').textContent()) ?? '';

t.test('before there is a model and any data, it says so', async (t) => {
  await page.goto(url);
  await page.getByText('No model serves yet: records wait in Kafka.').waitFor();
  for (const text of ['Nothing has been decided yet.', 'Nothing has asked for a retraining.', 'The drift service has not looked at a window yet.']) await page.getByText(text).waitFor();
  t.same(await audit(page), []);
});

t.test('scores move as they are committed, and customers whose risk rises are named with what moved them', async (t) => {
  await writePageRows(client, 'C7', (events_7d) => scoreOf({ events_7d }));
  await cluster.publishVersion(model);
  await whilePublishing('the stream', async () => Number(await vital('Events')) > 0 && (await vital('Customers')) === '40');
  await whilePublishing('a riser', async () => (await page.locator('.risers tbody tr').count()) > 0);
  t.match(await page.locator('.risers tbody tr').first().textContent(), /^C\d+0\.\d\d → \d\.\d\d.*(ago|just now)$/);
  await until('reasons on the page, as the stream’s own figures have them', async () => {
    const { risers } = (await (await fetch(`${url}page/overview`)).json()) as { risers: { from: number; reasons: { feature: string; before: number | null; after: number | null; effect: number }[] }[] };
    const reasons = risers.flatMap(({ from, reasons: some }) => some.map((one) => ({ from, ...one })));
    const wrong = reasons.filter(({ from, feature, before, after, effect }) =>
      Math.abs(sigmoid(Math.log(from / (1 - from)) + weightOf(feature, after) - weightOf(feature, before)) - from - effect) > 1e-5);
    t.same(wrong, [], 'a change alone moves the score so far');
    const shown = await page.locator('.risers .reason').allTextContents();
    return reasons.some(({ feature, before, after, effect }) => shown.includes(`${descriptionOf(feature)} ${written(before)} → ${written(after)} ${signed(effect)}`));
  });
  const lit = () => page.evaluate<number>("[...document.querySelector('.heat canvas').getContext('2d').getImageData(0, 0, 4000, 400).data].filter((value, i) => i % 4 === 3 && value > 0).length");
  t.ok((await lit()) > 0, 'the heat strip is drawn');
  await page.locator('.connection.good', { hasText: 'live' }).waitFor();
});

t.test('what the loop wrote to ClickHouse is there: versions, ledger, retraining, drift, performance, dead letters', async (t) => {
  await page.locator('.ledger li', { hasText: 'rolled back' }).waitFor();
  t.match(await page.locator('.ledger li').allTextContents(), [/rolled back m2/, /promoted m1/, /canary 25 % m1/, /registered m1/, /promoted m0/]);
  await reads('.service', /m1champion.*log loss0\.400.*AUC0\.810.*12,345 rows.*29 Dec 2025/);
  await reads('.retrains li', /Drift .*events_7d moved for three windows/);
  await page.locator('.multiples li.drift', { hasText: 'events 7 d' }).waitFor();
  t.match(await page.locator('.multiples li.drift svg.shapes').getAttribute('aria-label'), /^events 7 d: beyond its threshold, population stability index 0\.31/);
  await reads('.panel.performance', /labels up to \d+ Nov.*0\.435 came, 0\.455 expected/);
  await reads('.vital', /Dead letters1/);
  await page.getByRole('button', { name: 'Drift by feature: show as a table' }).click();
  t.match(await page.locator('.drift tbody tr').first().textContent(), /^events 7 d0\.3100\.210.*beyond its threshold$/);
  await page.getByRole('button', { name: 'Drift by feature: show as a table' }).click();
  t.same(await audit(page), [], 'light');
});

t.test('dark by the system’s wish or by choice, which is kept', async (t) => {
  const theme = (): Promise<string | null> => page.locator('html').getAttribute('data-theme');
  await page.emulateMedia({ colorScheme: 'dark' });
  await until('dark', async () => (await theme()) === 'dark');
  t.same(await audit(page), [], 'dark');
  await page.getByRole('button', { name: 'Use the light theme' }).click();
  t.equal(await theme(), 'light');
  await page.reload();
  await until('light again', async () => (await theme()) === 'light');
});

t.test('by keyboard to a customer and back', async (t) => {
  await page.locator('.vitals').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('C7');
  await until('suggestions', async () => (await page.locator('datalist option').count()) > 0);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'C7', exact: true }).waitFor();
  t.equal(new URL(page.url()).hash, '#/customer/C7');
  await page.locator('.lanes .ticks.purchase path').waitFor({ state: 'attached' });
  t.match(await page.locator('.timeline .note').textContent(), /6 scores, 4 events/);
  t.equal(await page.locator('.features > div').count(), 20);
  const [low, high] = [4, 0].map((events_7d) => scoreOf({ events_7d })).map((value) => value.toFixed(2));
  await page.locator('.moves li').nth(1).waitFor();
  t.match(await page.locator('.moves li').allTextContents(), [
    new RegExp(`Silence${low} → ${high}\\+0\\.51.*events of the last 7 days: 4\u00a0→\u00a00$`), new RegExp(`Purchase${high} → ${low}−0\\.51.*events of the last 7 days: 1\u00a0→\u00a02$`)], 'what moved it, and nothing of what did not');
  t.equal(await page.locator('.course path.moved').count(), 2, 'and where, on the score’s course');
  const { features } = (await (await fetch(`${url}customers/C7`)).json()) as { features: Record<string, number | null> };
  for (const { name, weights: [below, above], cover: [some, others] } of STUMPS) {
    const contribution = weightOf(name, features[name]!) - (some * below + others * above) / (some + others);
    await until(`the contribution of ${name}`, async () => (await page.locator('.why tbody tr', { hasText: descriptionOf(name) }).locator('td').last().textContent()) === signed(contribution));
  }
  t.match(await page.locator('.why .in-words').textContent(), /(Raises|Lowers) it most: .+ \(.+\)/);
  const before = await page.locator('.customer-head .figure').textContent();
  await whilePublishing('a new score of C7', async () => (await page.locator('.customer-head .figure').textContent()) !== before);
  t.same(await audit(page), []);
  await page.keyboard.press('Tab');
  t.equal(await page.evaluate<string>('document.activeElement.textContent'), '← Overview', 'the focus went along with the address');
  await page.keyboard.press('Enter');
  await page.locator('.vitals').waitFor();
  await page.goto(`${url}#/customer/nobody`);
  await page.getByText('No customer of this id has been scored here.').waitFor();
  complaints.splice(0, complaints.length, ...complaints.filter((text) => !/404/.test(text)));
  await page.goto(`${url}#/`);
});

t.test('a retraining is asked for once, with its reason', async (t) => {
  const button = page.getByRole('button', { name: 'Ask for a retraining…' });
  await button.focus();
  await page.keyboard.press('Enter');
  const focus = (what: string, expression: string): Promise<void> => until(what, () => page.evaluate<boolean>(expression));
  await focus('the focus is in the dialog', "document.activeElement.id === 'why'");
  t.same(await audit(page), []);
  await page.keyboard.press('Escape');
  await focus('and back where it was', "document.activeElement.textContent === 'Ask for a retraining…'");
  await page.keyboard.press('Enter');
  await focus('the focus is in the dialog again', "document.activeElement.id === 'why'");
  await page.keyboard.type('new loyalty programme');
  await page.getByRole('dialog').getByRole('button', { name: 'Ask for a retraining' }).dblclick();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  t.equal(await page.getByRole('status').textContent(), 'A retraining was asked for.');
  const [range] = await offsetRanges(cluster.kafka, TOPICS.retrain.name);
  t.equal(range!.high - range!.low, 1);
  const refused = await fetch(`${url}page/retrain`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{"why":"x"}' });
  t.equal(refused.status, 415, 'a page of another site cannot send this without asking first');
});

t.test('a restart of the server is shown and survived', async (t) => {
  t.same(complaints, [], 'nothing on the console until here');
  await scorer.stop();
  await page.getByText('The scorer does not answer.').waitFor();
  await page.locator('.connection.risk', { hasText: 'disconnected' }).waitFor();
  t.same(await audit(page), []);
  scorer = await start();
  await page.getByRole('button', { name: 'Try now' }).click().catch(() => undefined);
  await page.locator('.connection.good', { hasText: 'live' }).waitFor();
  await whilePublishing('the stream again', async () => Number(await vital('Events')) > 0);
  t.equal(await page.getByText('The scorer does not answer.').count(), 0);
});

t.test('files are whole, typed and known by their tags', async (t) => {
  const answer = await fetch(`${url}page/static/main.js`);
  t.match({ status: answer.status, type: answer.headers.get('content-type'), policy: answer.headers.get('content-security-policy'), cache: answer.headers.get('cache-control') },
    { status: 200, type: 'text/javascript; charset=utf-8', policy: /default-src 'none'/, cache: 'no-cache' });
  const again = await fetch(`${url}page/static/main.js`, { headers: { 'if-none-match': answer.headers.get('etag')! } });
  t.match({ status: again.status, length: (await again.arrayBuffer()).byteLength }, { status: 304, length: 0 });
  t.equal((await fetch(`${url}page/static/..%2f..%2fpackage.json`)).status, 404);
});

t.test('without ClickHouse the stream goes on and what is old says how old', async (t) => {
  await page.setViewportSize({ width: 390, height: 844 });
  process.kill(cluster.pids.clickhouse!, 'SIGKILL');
  await page.locator('.ledger .stale', { hasText: 'as of' }).waitFor();
  await whilePublishing('the stream without ClickHouse', async () => Number(await vital('Events')) > 0);
  t.ok((await page.locator('.ledger li').count()) === 5, 'the former answer stays');
  t.same(await audit(page), [], 'on a phone’s width');
  t.same(failures, []);
});
