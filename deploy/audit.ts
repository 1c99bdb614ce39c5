import { createAuditLog } from '../clickhouse/audit.js';
import { Log } from '../runtime/log.js';
import type { Settings } from '../runtime/settings.js';
import { currentUser } from './current-user.js';

/** What a command did to which; see AuditEntry. */
export interface CommandEntry {
  readonly action: string;
  readonly target: string;
  readonly outcome?: 'done' | 'failed';
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Into audit_log where a ClickHouse answers; where none does, the entry is told instead, so that it can be kept. */
export async function recordCommand(settings: Settings, tell: (text: string) => void, { action, target, outcome = 'done', detail = {} }: CommandEntry): Promise<void> {
  const lines: string[] = [];
  const auditLog = createAuditLog({ settings, log: new Log('cli', 'info', (line) => lines.push(line)), service: 'cli' });
  auditLog.record({ actor: currentUser(), role: 'admin', address: '', action, target, outcome, detail, requestId: '' });
  await auditLog.stop();
  if (auditLog.stats.written === 0) tell(`not recorded in ClickHouse, which does not answer or has no table audit_log yet; the entry is\n${lines.find((line) => line.includes('"event":"audit"'))}`);
}
