import t from 'tap';
import type { Page } from 'playwright-core';
import { migrate } from '../../../clickhouse/migrate.js';
import { createClickHouse } from '../../../runtime/clickhouse.js';
import { offsetRanges } from '../../../runtime/kafka/read-partition.js';
import { Log } from '../../../runtime/log.js';
import { TOPICS } from '../../../schemas/topics.js';
import { startScorer } from '../../../scorer/main.js';
import { requestRetraining } from '../../../stream-processors/drift/request.js';
import { audit, CHROMIUM, complaintsOf, hasChromium, launchChromium } from '../../support/browser.js';
import { testLog } from '../../support/cluster.js';
import { writePageRows } from '../../support/page-rows.js';
import { startScoringCluster } from '../../support/scoring-cluster.js';
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
let scorer = await start();
t.teardown(() => scorer.stop());
const url = `http://127.0.0.1:${scorer.port}/`;
const page: Page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: 'light' });
page.setDefaultTimeout(30_000);
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
  await writePageRows(client, 'C7');
  await cluster.publishModel('m1', 1);
  await whilePublishing('the stream', async () => Number(await vital('Events')) > 0 && (await vital('Customers')) === '40');
  await whilePublishing('a riser', async () => (await page.locator('.risers tbody tr').count()) > 0);
  t.match(await page.locator('.risers tbody tr').first().textContent(), /^C\d+0\.\d\d → \d\.\d\d.*(ago|just now)$/);
  t.match(await page.locator('.risers .reason').first().textContent(), /→ .* [+−]0\.\d\d$/);
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
  const before = await page.locator('.customer-head .figure').textContent();
  await whilePublishing('a new score of C7', async () => (await page.locator('.customer-head .figure').textContent()) !== before);
  t.same(await audit(page), []);
  await page.keyboard.press('Tab');
  t.equal(await page.evaluate<string>('document.activeElement.textContent'), '← Overview', 'the focus went along with the address');
  await page.keyboard.press('Enter');
  await page.locator('.vitals').waitFor();
  await page.goto(`${url}#/customer/nobody`);
  await page.getByText('No customer of this id has been scored here.').waitFor();
  complaints.splice(0, complaints.length, ...complaints.filter((text) => !/404|422/.test(text)));
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
