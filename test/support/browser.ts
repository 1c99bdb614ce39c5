import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { PROJECT_ROOT } from '../../runtime/paths.js';

/** Debian's; CHROMIUM names another. */
export const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
export const hasChromium = existsSync(CHROMIUM);

/** A headless Chromium that talks to nobody by itself. */
export const launchChromium = (): Promise<Browser> => chromium.launch({
  executablePath: CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

const AUDIT = readFileSync(join(PROJECT_ROOT, 'test', 'support', 'page-audit.js'), 'utf8');

/** What is wrong with the page for those who do not see it, or see it badly. */
export const audit = (page: Page): Promise<string[]> => page.evaluate<string[]>(AUDIT);

/** Everything that the page complains of on its console, and what it throws. */
export function complaintsOf(page: Page): string[] {
  const all: string[] = [];
  page.on('console', (message) => { if (message.type() === 'error' || message.type() === 'warning') all.push(message.text()); });
  page.on('pageerror', (error) => all.push(String(error)));
  return all;
}
