import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PROJECT_ROOT } from '../runtime/paths.js';
import { launchChromium } from './support/browser.js';

/** Pictures of a running page for README: `npm run screenshots -- [--url http://127.0.0.1:8080/] [--customer ID] [--only page-phone] [--folder docs/images]`. */
const { values } = parseArgs({ options: { url: { type: 'string', default: 'http://127.0.0.1:8080/' }, customer: { type: 'string' }, only: { type: 'string', default: '' }, folder: { type: 'string', default: join(PROJECT_ROOT, 'docs', 'images') } } });
const PICTURES = [
  { name: 'page-light', width: 1280, height: 900, colorScheme: 'light', ofCustomer: false },
  { name: 'page-dark', width: 1280, height: 900, colorScheme: 'dark', ofCustomer: false },
  { name: 'page-phone', width: 390, height: 844, colorScheme: 'light', ofCustomer: false },
  { name: 'page-customer', width: 1280, height: 1000, colorScheme: 'light', ofCustomer: true },
  { name: 'page-customer-dark', width: 1280, height: 1000, colorScheme: 'dark', ofCustomer: true },
] as const;

const { risers } = (await (await fetch(new URL('/page/overview', values.url))).json()) as { risers: { customer_id: string }[] };
const customer = values.customer ?? risers[0]?.customer_id;
const browser = await launchChromium();
for (const { name, width, height, colorScheme, ofCustomer } of PICTURES) {
  if (!name.startsWith(values.only) || (ofCustomer && customer === undefined)) continue;
  const page = await browser.newPage({ viewport: { width, height }, colorScheme });
  await page.goto(new URL(ofCustomer ? `#/customer/${encodeURIComponent(customer!)}` : '#/', values.url).href);
  // Everything that is going to be there is there once nothing says that it is being read.
  await page.locator(ofCustomer ? '.lanes svg' : '.vitals').first().waitFor();
  if (ofCustomer) for (const panel of ['.why tbody tr', '.moves li']) await page.locator(panel).first().waitFor({ timeout: 120_000 });
  await page.locator('.stale, .empty', { hasText: /Reading…|does not answer|as of/ }).first().waitFor({ state: 'detached', timeout: 120_000 });
  await page.locator('.connection.good').waitFor({ timeout: 60_000 });
  await page.screenshot({ path: join(values.folder, `${name}.png`) });
  await page.close();
  console.log(join(values.folder, `${name}.png`));
}
await browser.close();
