import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kafka } from 'kafkajs';
import type { Log } from '../log.js';
import type { Settings } from '../settings.js';
import { openCoordinator } from './cluster.js';

/**
 * A process that was killed stays a member of its group until its session times out, and its partitions stand still so long.
 * kafkajs has no static membership: instead each process writes down its member id, and its successor on the same data
 * folder, which holds the folder alone, takes the dead member out of the group before it joins.
 */
const fileOf = (settings: Settings, groupId: string): string => join(settings.DATA_DIR, 'members', `${groupId}.${settings.INSTANCE}.json`);

export function rememberMember(settings: Settings, groupId: string, memberId: string): void {
  mkdirSync(join(settings.DATA_DIR, 'members'), { recursive: true });
  writeFileSync(fileOf(settings, groupId), JSON.stringify({ memberId, pid: process.pid }));
}

export async function evictFormerMember(kafka: Kafka, settings: Settings, groupId: string, log: Log): Promise<void> {
  const file = fileOf(settings, groupId);
  let former: { memberId: string; pid: number };
  try {
    former = JSON.parse(readFileSync(file, 'utf8')) as { memberId: string; pid: number };
  } catch {
    return; // the first start here
  }
  if (former.pid !== process.pid && isAlive(former.pid)) return;
  const coordinator = await openCoordinator(kafka, groupId);
  try {
    await coordinator.leaveGroup(former.memberId);
    log.info('former_member_evicted', { group: groupId, member: former.memberId });
  } catch {
    // it left in order, or its session is over: nothing to do
  } finally {
    await coordinator.close();
    rmSync(file, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
