import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const LISTEN = '0A';

/** Who listens on a TCP port, as `name (process 123)`; undefined where the system does not tell (not Linux, or another user's). */
export function portOwner(port: number): string | undefined {
  try {
    const sockets = new Set(['tcp', 'tcp6'].flatMap((table) => listeningInodes(table, port)).map((inode) => `socket:[${inode}]`));
    if (sockets.size === 0) return undefined;
    for (const pid of readdirSync('/proc')) {
      if (/^\d+$/.test(pid) && holds(pid, sockets)) return `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (process ${pid})`;
    }
  } catch {
    // Not Linux.
  }
  return undefined;
}

function listeningInodes(table: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return readFileSync(`/proc/net/${table}`, 'utf8').split('\n').slice(1).flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    return fields[1]?.endsWith(`:${hex}`) === true && fields[3] === LISTEN && fields[9] !== undefined ? [fields[9]] : [];
  });
}

function holds(pid: string, sockets: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((handle) => {
      try {
        return sockets.has(readlinkSync(`/proc/${pid}/fd/${handle}`));
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}
