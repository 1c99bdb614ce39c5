-- The events that one training works on, as of now: those of the customers of the first buckets (see training_size.sql).
-- Landing goes on meanwhile, and the view's SQL reads the events several times: on this copy each of its parts sees the
-- same ones, in few files.
SELECT customer_id, event_id, event_type, amount, quantity, channel, event_time, kafka_partition, kafka_offset
FROM events
WHERE intDiv(cityHash64(customer_id), 18014398509481984) < {buckets:UInt16}
