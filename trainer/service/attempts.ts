import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../../runtime/settings.js';

/** Trainings of one event that a process may die in before the event is refused: an event that kills the trainer must not do so for ever. */
export const ATTEMPTS_MAX = 20;

/** How often trainings of events were begun, on disk, so that a process that dies of one still counts. */
export interface Attempts {
  /** Counts one more. @returns how many there are now, this one included */
  begin(event_id: string): number;
  /** It was answered. */
  end(event_id: string): void;
}

export function createAttempts({ DATA_DIR }: Pick<Settings, 'DATA_DIR'>): Attempts {
  const folder = join(DATA_DIR, 'trainer', 'attempts');
  const fileOf = (event_id: string): string => join(folder, createHash('sha256').update(event_id).digest('hex').slice(0, 32));
  return {
    begin(event_id) {
      mkdirSync(folder, { recursive: true });
      const attempts = readCount(fileOf(event_id)) + 1;
      writeFileSync(fileOf(event_id), String(attempts));
      return attempts;
    },
    end: (event_id) => rmSync(fileOf(event_id), { force: true }),
  };
}

function readCount(file: string): number {
  try {
    return Math.max(0, Number.parseInt(readFileSync(file, 'utf8'), 10) || 0);
  } catch {
    return 0;
  }
}
