-- The events that one training works on, as of now: the customers of the first shards only. Landing goes on meanwhile, and
-- the view's SQL reads the events several times: on this copy each of its parts sees the same ones, in few files.
SELECT customer_id, event_id, event_type, amount, quantity, event_time, kafka_offset
FROM events
WHERE cityHash64(customer_id) % {shards:UInt32} < {shards_taken:UInt32}
