/**
 * What stands on `customer-outcomes` where a business knows the truth itself: key customer_id. It labels the predictions of
 * the customer whose horizon holds `observed_at`, before the label that events alone would give.
 */
export interface CustomerOutcome {
  customer_id: string;
  /** 1: the customer churned; 0: the customer stayed. */
  outcome: number;
  /** Epoch milliseconds, event time. */
  observed_at: number;
}

export const CUSTOMER_OUTCOME_AVRO = {
  type: 'record',
  name: 'CustomerOutcome',
  namespace: 'tidemark',
  fields: [
    { name: 'customer_id', type: 'string' },
    { name: 'outcome', type: 'int' },
    { name: 'observed_at', type: { type: 'long', logicalType: 'timestamp-millis' } },
  ],
} as const;
