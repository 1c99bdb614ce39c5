/**
 * The ledger of a model's versions, topic `models.ledger` (one partition, kept for ever), key `<model>`. Which version serves
 * follows from the entries alone, in their order: every scorer that has read as far has the same answer.
 */
export const LEDGER_ACTIONS = ['registered', 'refused', 'shadow', 'canary', 'promoted', 'rolled_back', 'retired'] as const;
export type LedgerAction = (typeof LEDGER_ACTIONS)[number];

export interface LedgerEntry {
  /** The same decision written twice has the same id; readers take the first. */
  entry_id: string;
  /** Epoch milliseconds, wall clock. */
  at: number;
  model: string;
  /** The version that the action is about; of `rolled_back` the one that is taken out of service. */
  version: string;
  action: LedgerAction;
  /** Of `canary`: the share of customers that the version serves, 0 to 1; otherwise 0. */
  share: number;
  /** Of `promoted` and `rolled_back`: the version that serves afterwards. Empty otherwise. */
  champion: string;
  /** `trainer`, `rollout`, `user:<name>`. */
  by: string;
  reason: string;
  /** JSON: figures that the decision rests on. */
  evidence: string;
  /** The retrain event that led to it; empty where there is none. */
  retrain_event_id: string;
}

export const LEDGER_ENTRY_AVRO = {
  type: 'record',
  name: 'LedgerEntry',
  namespace: 'tidemark',
  fields: [
    { name: 'entry_id', type: 'string' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'model', type: 'string' },
    { name: 'version', type: 'string' },
    { name: 'action', type: { type: 'enum', name: 'LedgerAction', symbols: [...LEDGER_ACTIONS] } },
    { name: 'share', type: 'double' },
    { name: 'champion', type: 'string' },
    { name: 'by', type: 'string' },
    { name: 'reason', type: 'string' },
    { name: 'evidence', type: 'string' },
    { name: 'retrain_event_id', type: 'string' },
  ],
} as const;
