-- Purchases a customer, epoch ms: what decides the labels.
SELECT customer_id, groupArray(toUnixTimestamp64Milli(event_time)) AS purchases
FROM events
WHERE event_type = 'purchase' AND event_time > fromUnixTimestamp64Milli({train_after:Int64})
GROUP BY customer_id
