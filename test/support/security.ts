import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { Log } from '../../runtime/log.js';
import { loadSettings, type Settings } from '../../runtime/settings.js';
import type { KeyRecord } from '../../scorer/security/core/key.js';
import { KEY_ROLES, type KeyRole } from '../../scorer/security/core/roles.js';
import { changeKeyFile } from '../../scorer/security/key-file.js';
import { newKey } from '../../scorer/security/new-key.js';
import { openSecurity } from '../../scorer/security/open.js';
import { freePort } from '../../runtime/ports.js';
import { startTestScorer, type TestScorer, type TestScorerOptions } from './scorer.js';

export interface SecuredScorer extends TestScorer {
  /** A key of each role, where keys were asked for. */
  readonly keys: Readonly<Record<KeyRole, string>>;
  readonly keysFile: string;
  readonly dataDir: string;
  readonly logged: string[];
  /** Values of a metric by its labels. */
  metric(name: string): Promise<Record<string, number>>;
}

/** The test scorer behind what settings say stands before it, files looked at every 20 ms. */
export async function startSecuredScorer(t: { teardown(end: () => Promise<void>): unknown }, env: Record<string, string>, withKeys: boolean, more: (settings: Settings) => TestScorerOptions = () => ({})): Promise<SecuredScorer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tidemark-security-'));
  // Nothing listens there: entries of the audit log wait, and stand in the log.
  const settings = loadSettings({ DATA_DIR: dataDir, CLICKHOUSE_PORT: String(await freePort()), ...env });
  const keysFile = join(dataDir, 'keys.json');
  const made = Object.fromEntries(KEY_ROLES.map((role) => [role, newKey()])) as Record<KeyRole, ReturnType<typeof newKey>>;
  if (withKeys) await changeKeyFile(keysFile, Date.now(), () => KEY_ROLES.map((role): KeyRecord =>
    ({ id: made[role].id, hash: made[role].hash, name: `the ${role}`, role, createdAt: Date.now(), expiresAt: null, revokedAt: null, replacedBy: null })));
  const logged: string[] = [];
  const register = new Registry();
  const security = await openSecurity(settings, new Log('scorer', 'debug', (line) => logged.push(line)), register, { lookMs: 20 });
  t.teardown(async () => { await security.stop(); rmSync(dataDir, { recursive: true, force: true }); });
  const scorer = await startTestScorer(t, { ...security, ...more(settings) });
  return {
    ...scorer, dataDir, keysFile, logged,
    keys: Object.fromEntries(KEY_ROLES.map((role) => [role, made[role].text])) as Record<KeyRole, string>,
    async metric(name) {
      const found = (await register.getMetricsAsJSON()).find((metric) => metric.name === name);
      return Object.fromEntries((found?.values ?? []).map(({ labels, value }) => [Object.values(labels).join(' '), value]));
    },
  };
}

export const bearer = (key: string): { headers: Record<string, string> } => ({ headers: { authorization: `Bearer ${key}` } });

/** Asks for a WebSocket with headers; status 101 and the subprotocol where it is opened, and its socket. */
export function upgrade(port: number, headers: Record<string, string>): Promise<{ status: number; protocol: string | undefined; socket?: Socket }> {
  return new Promise((resolve, reject) => {
    const req = request({ host: '127.0.0.1', port, path: '/ws', headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': randomBytes(16).toString('base64'), ...headers } });
    req.on('upgrade', (res, socket) => resolve({ status: 101, protocol: res.headers['sec-websocket-protocol'], socket: socket as Socket }));
    req.on('response', (res) => { res.resume(); resolve({ status: res.statusCode ?? 0, protocol: undefined }); });
    req.on('error', reject);
    req.end();
  });
}

/** Sends bytes over a connection of its own, as no client library would. @returns all that came back until the server closed, or an answer was whole */
export function rawRequest(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let got = '';
    socket.on('data', (data: Buffer) => {
      got += data.toString('latin1');
      const [head, body] = got.split('\r\n\r\n');
      const length = /content-length: (\d+)/i.exec(head ?? '')?.[1];
      if (length !== undefined && (body ?? '').length >= Number(length)) socket.destroy();
    });
    socket.on('error', () => undefined).on('close', () => resolve(got));
    socket.write(bytes);
  });
}
