/** Roles from least to most: each may do what the ones before it may. `public` needs no key at all. */
export const ROLES = ['public', 'reader', 'scorer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Roles that a key can have. */
export const KEY_ROLES = ['reader', 'scorer', 'operator', 'admin'] as const satisfies readonly Role[];
export type KeyRole = (typeof KEY_ROLES)[number];

const RANK: Readonly<Record<Role, number>> = { public: 0, reader: 1, scorer: 2, operator: 3, admin: 4 };

/** Whether a role may use what asks for `least`. */
export const mayUse = (role: Role, least: Role): boolean => RANK[role] >= RANK[least];
