/** What producers publish on `customer-events`, one record an event, keyed by customer_id in UTF-8. */

/** Avro enum symbols in wire order: the position is the code that the hot path computes with. */
export const EVENT_TYPES = ['other', 'login', 'page_view', 'add_to_cart', 'purchase', 'refund', 'support_ticket'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export interface CustomerEvent {
  event_id: string;
  customer_id: string;
  event_type: EventType;
  /** Money in the shop's currency; null where the event has none. */
  amount: number | null;
  /** Items, a whole number; null where the event has none. */
  quantity: number | null;
  channel: string;
  /** Milliseconds since the epoch, UTC. */
  event_time: number;
  properties: Record<string, string>;
}

/** Bounds on everything that comes from outside. Lengths are UTF-16 code units; the record size is bytes on the wire. */
export const EVENT_BOUNDS = {
  id_length_max: 128,
  channel_length_max: 64,
  properties_count_max: 64,
  property_key_length_max: 64,
  property_value_length_max: 1024,
  record_bytes_max: 65_536,
  amount_abs_max: 1e12,
  quantity_max: 1_000_000_000,
} as const;

export const CUSTOMER_EVENT_AVRO = {
  type: 'record',
  name: 'CustomerEvent',
  namespace: 'tidemark',
  fields: [
    { name: 'event_id', type: 'string' },
    { name: 'customer_id', type: 'string' },
    { name: 'event_type', type: { type: 'enum', name: 'EventType', symbols: [...EVENT_TYPES], default: 'other' } },
    { name: 'amount', type: ['null', 'double'], default: null },
    { name: 'quantity', type: ['null', 'int'], default: null },
    { name: 'channel', type: 'string', default: 'web' },
    { name: 'event_time', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'properties', type: { type: 'map', values: 'string' }, default: {} },
  ],
} as const;
