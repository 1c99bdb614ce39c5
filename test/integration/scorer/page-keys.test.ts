import t from 'tap';
import type { Browser, Page } from 'playwright-core';
import type { RetrainEvent } from '../../../schemas/events/retrain-event.js';
import { customerActivity as view } from '../../../schemas/features/customer-activity.js';
import { createExplainer } from '../../../scorer/explain/explainer.js';
import { createExplanations } from '../../../scorer/explain/explanations.js';
import { createRecentReader } from '../../../scorer/explain/recent.js';
import { stateOfKey } from '../../../scorer/security/core/key.js';
import { changeKeyFile, readKeyFile } from '../../../scorer/security/key-file.js';
import { newKey } from '../../../scorer/security/new-key.js';
import { audit, CHROMIUM, complaintsOf, hasChromium, launchChromium } from '../../support/browser.js';
import { testLog } from '../../support/cluster.js';
import { scored } from '../../support/scorer.js';
import { startSecuredScorer, type SecuredScorer } from '../../support/security.js';
import { stumpModel } from '../../support/tree-model.js';
import { until } from '../../support/wait.js';

/** The live page where keys are asked for, in a real browser: no key, wrong ones, one that ends, and one that may not do everything. */
t.setTimeout(300_000);
if (!hasChromium) {
  t.pass('skipped', { skip: `no browser at ${CHROMIUM}: apt-get install chromium, or CHROMIUM=…` });
  process.exit();
}
const asked: { why: string; by: string }[] = [];
const eventOf = ({ why, by }: { why: string; by: string }): RetrainEvent => ({
  event_id: 'asked', decided_at: 0, reason: 'manual', decision: 'retrain', model: 'churn', model_version: 'v1', window_from: 0, window_to: 0, evidence: [], explanation: why, expected_gain: null, dedupe_key: 'asked', cooldown_until: 0, requested_by: by,
});
const scorer: SecuredScorer = await startSecuredScorer(t, {}, true, (settings) => {
  const [explainer, recent] = [createExplainer({ log: testLog }), createRecentReader(settings, view)];
  t.teardown(async () => { await explainer.stop(); await recent.close(); });
  return {
    livePage: { settings, requestRetraining(request) { asked.push(request); return Promise.resolve(eventOf(request)); } },
    explanations: createExplanations({ view, explainer, recent: recent.read, modelOf: () => scorer.holder.current() }),
  };
});
const browser = await launchChromium();
t.teardown(() => browser.close());
await scorer.holder.offer(stumpModel(view, 'v1', [{ feature: 0, at: 5, weights: [-1, 2], cover: [300, 100] }]));
scorer.commit([scored('C1', 1, 0.2), scored('C1', 2, 0.7)]);

/** What a browser writes by itself where a question or a WebSocket is refused. */
const OWN_LINE = /^Failed to load resource: the server responded with a status of (401|403) |^WebSocket connection to \S+ failed: HTTP Authentication failed/;

/** A tab with nothing kept. @returns its page, and what its console said beyond the browser's own lines about refusals */
async function tab(to: Browser, hash = ''): Promise<{ page: Page; complaints(): string[]; refusals(): number }> {
  const context = await to.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: 'light' });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const all = complaintsOf(page);
  await page.goto(`${scorer.url}/${hash}`);
  return { page, complaints: () => all.filter((text) => !OWN_LINE.test(text)), refusals: () => all.filter((text) => OWN_LINE.test(text)).length };
}
async function enter(page: Page, key: string): Promise<void> {
  await page.getByLabel('Key', { exact: true }).fill(key);
  await page.keyboard.press('Enter');
}
const kept = (page: Page): Promise<string | null> => page.evaluate<string | null>("sessionStorage.getItem('tidemark-key')");
const dialogOf = (page: Page) => page.getByRole('dialog', { name: 'This server asks for a key' });

t.test('without a key it shows nothing, asks for one, and asks the server for nothing else', async (t) => {
  const { page, complaints, refusals } = await tab(browser, '#/customer/C1');
  const dialog = dialogOf(page);
  await dialog.waitFor();
  await until('the focus is where the key goes', () => page.evaluate<boolean>("document.activeElement.id === 'key'"));
  t.same(await audit(page), []);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await page.locator('main').getByText('This server asks for a key.').waitFor();
  await page.locator('.connection.watch', { hasText: 'key needed' }).waitFor();
  t.equal(await page.locator('.vitals, .customer-head').count(), 0);
  t.equal(refusals(), 1, 'one question, no WebSocket');
  t.same(await audit(page), []);

  await page.locator('main').getByRole('button', { name: 'Enter a key' }).click();
  await enter(page, `  ${scorer.keys.reader} `);
  await page.getByRole('heading', { level: 1, name: 'C1' }).waitFor();
  t.equal(await page.locator('.customer-head .figure strong').textContent(), '0.70', 'where the address points');
  await page.locator('.connection.good', { hasText: 'live' }).waitFor();
  t.equal(await kept(page), scorer.keys.reader);
  await page.locator('.panel.why tbody tr', { hasText: 'events of the last 24 hours' }).waitFor();
  await page.locator('.panel.moves', { hasText: 'Recent events cannot be told now.' }).waitFor();
  await page.reload();
  await page.locator('.customer-head .figure').waitFor();
  t.equal(refusals(), 1, 'the tab keeps it');

  await page.getByRole('button', { name: 'Key', exact: true }).click();
  await dialog.getByRole('button', { name: 'Forget the key' }).click();
  await page.locator('main').getByText('This server asks for a key.').waitFor();
  t.equal(await kept(page), null);
  t.equal(await page.locator('.customer-head').count(), 0, 'what was read with it is gone');
  t.same(complaints(), []);
  await page.context().close();
});

t.test('a key that is not taken is said to be so where it was typed, and takes the place of none', async (t) => {
  const { page, complaints } = await tab(browser);
  const dialog = dialogOf(page);
  const now = Date.now();
  const dead = { expired: newKey(), revoked: newKey() };
  await changeKeyFile(scorer.keysFile, now, (keys) => [...keys,
    { id: dead.expired.id, hash: dead.expired.hash, name: 'last year', role: 'operator', createdAt: now - 2000, expiresAt: now - 1000, revokedAt: null, replacedBy: null },
    { id: dead.revoked.id, hash: dead.revoked.hash, name: 'lost', role: 'operator', createdAt: now - 2000, expiresAt: null, revokedAt: now - 1000, replacedBy: null }]);
  for (const [what, key] of [['unknown', newKey().text], ['no key at all', 'hunter2'], ['expired', dead.expired.text], ['revoked', dead.revoked.text]] as const) {
    await page.getByLabel('Key', { exact: true }).fill(key);
    await dialog.getByRole('alert').waitFor({ state: 'detached' });
    await page.keyboard.press('Enter');
    await dialog.getByRole('alert').waitFor();
    t.equal(await dialog.getByRole('alert').textContent(), 'The server does not take this key: it is unknown, expired or revoked.', what);
    t.equal(await kept(page), null);
  }
  t.same(await audit(page), []);
  await enter(page, 'schlüssel');
  t.equal(await page.evaluate<boolean>("document.getElementById('key').validity.patternMismatch"), true, 'what no header can carry is not sent');
  await enter(page, scorer.keys.operator);
  await page.locator('.vitals').waitFor();
  await page.getByRole('button', { name: 'Key', exact: true }).click();
  await enter(page, newKey().text);
  await dialog.getByRole('alert').waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  t.equal(await kept(page), scorer.keys.operator, 'the key that works stays');
  await page.locator('.connection.good', { hasText: 'live' }).waitFor();
  t.same(complaints(), []);
  await page.context().close();
});

t.test('a reader’s key shows everything, and says what it may not', async (t) => {
  const { page, complaints } = await tab(browser);
  for (const role of ['reader', 'scorer'] as const) {
    await enter(page, scorer.keys[role]);
    const button = page.getByRole('button', { name: 'Ask for a retraining…' });
    await button.and(page.locator(':disabled')).waitFor();
    const reason = `takes an operator’s key, yours is a ${role}’s`;
    await page.getByText(reason).waitFor();
    t.equal(await page.evaluate<string>("document.getElementById(document.querySelector('.actions button:disabled').getAttribute('aria-describedby')).textContent"), reason);
    t.equal(await page.getByRole('button', { name: 'ask now' }).count(), 0);
    t.equal(await page.getByRole('link', { name: 'metrics' }).count(), 0, 'a link carries no key');
    t.same(await audit(page), []);
    await page.setViewportSize({ width: 390, height: 844 });
    t.same(await audit(page), [], 'on a phone’s width');
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.getByRole('button', { name: 'Key', exact: true }).click();
  }
  const answer = await fetch(`${scorer.url}/page/retrain`, { method: 'POST', headers: { 'x-api-key': scorer.keys.reader, 'content-type': 'application/json' }, body: '{"why":"because"}' });
  t.equal(answer.status, 403, 'it is the server that refuses');
  await enter(page, scorer.keys.operator);
  await page.getByRole('button', { name: 'Ask for a retraining…' }).and(page.locator(':enabled')).waitFor();
  t.equal(await page.locator('#may-not').count(), 0);
  t.same(complaints(), []);
  await page.context().close();
});

t.test('a key that ends while the page is open: what is there stays, with its age, until there is another', async (t) => {
  const { page, complaints } = await tab(browser);
  const now = Date.now();
  const passing = newKey();
  await changeKeyFile(scorer.keysFile, now, (keys) => [...keys, { id: passing.id, hash: passing.hash, name: 'passing', role: 'operator', createdAt: now, expiresAt: null, revokedAt: null, replacedBy: null }]);
  await until('the key is known', async () => (await fetch(`${scorer.url}/page/overview`, { headers: { 'x-api-key': passing.text } })).ok);
  await enter(page, passing.text);
  await page.locator('.connection.good', { hasText: 'live' }).waitFor();

  await changeKeyFile(scorer.keysFile, Date.now(), (keys) => keys.map((key) => (key.id === passing.id ? { ...key, expiresAt: Date.now() } : key)));
  const dialog = dialogOf(page);
  await dialog.getByRole('alert').filter({ hasText: 'expired' }).waitFor();
  t.equal(stateOfKey((await readKeyFile(scorer.keysFile))!.find(({ id }) => id === passing.id)!, Date.now()), 'expired');
  await page.keyboard.press('Escape');
  await page.getByText(/The server does not take the key any more\. What is shown is as of/).waitFor();
  t.ok(await page.locator('.overview.old .vitals').isVisible());
  t.same(await audit(page), []);
  await page.getByRole('button', { name: 'Enter another key' }).click();
  await enter(page, scorer.keys.operator);
  await page.locator('.connection.good', { hasText: 'live' }).waitFor();
  t.equal(await page.locator('.overview.old, .banner:has-text("any more")').count(), 0);

  const focused = await page.getByRole('button', { name: 'Ask for a retraining…' }).evaluate((button: any) => { button.click(); return button.ownerDocument.activeElement.id as string; });
  t.equal(focused, 'why', 'what is typed at once goes there');
  await page.keyboard.type('a new catalogue');
  await page.getByRole('dialog').getByRole('button', { name: 'Ask for a retraining' }).click();
  await until('it was asked for', () => asked.length === 1);
  t.match(asked[0], { why: 'a new catalogue', by: 'page:the operator' }, 'with the name of the key that is used now');
  await page.getByRole('status').filter({ hasText: 'A retraining was asked for.' }).waitFor({ state: 'attached' });
  t.equal(await page.getByRole('status').textContent(), 'A retraining was asked for.');
  t.same(complaints(), []);
  await page.context().close();
});
