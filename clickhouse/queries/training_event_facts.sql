-- What a training's expectations say about its events (trainer/core/expectations.ts): counts over the table of the events
-- that it works on. {first} and {watermark} are the ends of the history, epoch ms.
SELECT
    count() AS events,
    countIf(customer_id = '') AS without_customer,
    countIf(event_id = '') AS without_id,
    count() - uniqExact(cityHash64(customer_id, event_id)) AS repeated,
    countIf(event_type = 'purchase') AS purchases,
    countIf(event_type = 'purchase' AND amount IS NULL) AS purchases_without_amount,
    countIf(event_type = 'purchase' AND (amount < 0 OR amount > 1000000)) AS amounts_outside,
    countIf(toUnixTimestamp64Milli(event_time) < {first:Int64} OR toUnixTimestamp64Milli(event_time) > {watermark:Int64}) AS times_outside,
    dateDiff('day', fromUnixTimestamp64Milli({first:Int64}), fromUnixTimestamp64Milli({watermark:Int64})) + 1
      - uniqExactIf(toDate(event_time), toUnixTimestamp64Milli(event_time) BETWEEN {first:Int64} AND {watermark:Int64}) AS days_without_events
FROM {events:Identifier}
