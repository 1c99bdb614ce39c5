import { userInfo } from 'node:os';

/** Who runs a command, as ledgers and the audit name a person. */
export function currentUser(): string {
  try {
    return `user:${userInfo().username}`;
  } catch { // a user id without a name, as in containers
    return 'user:unknown';
  }
}
