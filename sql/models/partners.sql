-- One row per partner and time in the project.
WITH
-- Joining and leaving take turns: the first time is without a number, then comes 2.
turns AS (
    SELECT
        partner_id,
        coalesce(repetition, 1) AS turn,
        arg_max(region, occurred_at) AS region,
        arg_max(municipality, occurred_at) AS municipality,
        arg_max(partner_kind, occurred_at) AS partner_kind,
        arg_max(ownership, occurred_at) AS ownership,
        arg_max(discount_from, occurred_at) AS discount_from,
        arg_max(discount_to, occurred_at) AS discount_to,
        min(occurred_on) FILTER (event = 'joined') AS joined_on,
        max(occurred_on) FILTER (event = 'left') AS left_on
    FROM partners
    GROUP BY partner_id, coalesce(repetition, 1)
)

-- Who left and is not known to have joined was a partner before the register began: the time waits for its beginning.
SELECT
    partner_id,
    turn,
    region,
    municipality,
    partner_kind,
    ownership,
    discount_from,
    discount_to,
    joined_on,
    left_on
FROM turns
WHERE joined_on IS NOT NULL
