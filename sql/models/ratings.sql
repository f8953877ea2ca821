-- One row per application that was measured or rated.
--
-- A rating is told by one event and each event comes once, so nothing is folded.
SELECT
    rating_id,
    region,
    municipality,
    service,
    channel,
    occurred_on AS rated_on,
    visits_to_apply,
    visits_to_receive,
    queue_minutes,
    rating
FROM ratings
WHERE event = 'rated'
