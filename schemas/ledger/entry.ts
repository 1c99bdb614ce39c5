import type { LedgerEntry } from '../events/ledger-entry.js';
import { hashId } from '../events/hash-id.js';

type Optional = 'share' | 'champion' | 'reason' | 'evidence' | 'retrain_event_id';
export type LedgerDraft = Omit<LedgerEntry, 'entry_id' | Optional> & Partial<Pick<LedgerEntry, Optional>>;

/**
 * An entry with an id that follows from what is decided and from `occasion`, what it was decided on (the entry before, a
 * retrain event, a time): the same decision taken again after a crash has the same id, and readers take the first.
 */
export function ledgerEntry(draft: LedgerDraft, occasion: string): LedgerEntry {
  const { share = 0, champion = '', reason = '', evidence = '', retrain_event_id = '' } = draft;
  const about = [draft.model, draft.version, draft.action, String(share), champion, draft.by, occasion].map((part) => `${part.length}:${part}`).join('');
  const entry_id = [about, `${about}#`].map((text) => hashId(text).toString(16).padStart(14, '0')).join('');
  return { ...draft, entry_id, share, champion, reason, evidence, retrain_event_id };
}
