-- One row per time in which a card was valid, or was shown within 30 days.
WITH
-- What holds for a card all the time, read as in the model of cards: uses tell where it was shown, not where its holder lives.
folded AS (
    SELECT
        certificate_id,
        coalesce(
            arg_max(municipality, occurred_at) FILTER (event <> 'used'),
            arg_max(municipality, occurred_at)
        ) AS municipality,
        arg_max(category, occurred_at) AS category,
        -- A card that was shown before its issue is known has been issued by then.
        least(min(occurred_on) FILTER (event = 'issued'), min(occurred_on) FILTER (event = 'used')) AS from_on,
        max(occurred_on) FILTER (event = 'expired') AS until_on
    FROM certificates
    WHERE kind = 'virtual_card'
    GROUP BY certificate_id
),

-- The days on which a card was shown while it was valid, and the day before on which it was.
shown AS (
    SELECT
        uses.certificate_id,
        uses.used_on,
        folded.until_on,
        lag(uses.used_on) OVER (PARTITION BY uses.certificate_id ORDER BY uses.used_on) AS before_on
    FROM (
        SELECT DISTINCT
            certificate_id,
            occurred_on AS used_on
        FROM certificates
        WHERE kind = 'virtual_card' AND event = 'used'
    ) AS uses
    JOIN folded USING (certificate_id)
    WHERE coalesce(uses.used_on < folded.until_on, TRUE)
),

-- A use makes a card active on its day and the 29 days after it; a later use begins a new time only after a gap.
numbered AS (
    SELECT
        *,
        count(*) FILTER (coalesce(used_on > before_on + 30, TRUE)) OVER (PARTITION BY certificate_id ORDER BY used_on) AS number
    FROM shown
),

times AS (
    SELECT
        certificate_id,
        'shown' AS mark,
        min(used_on) AS from_on,
        -- `least` passes over nulls: a card without an end.
        least(max(used_on) + 30, min(until_on)) AS until_on
    FROM numbered
    GROUP BY certificate_id, number
    UNION ALL
    SELECT
        certificate_id,
        'valid',
        from_on,
        until_on
    FROM folded
    WHERE from_on IS NOT NULL
)

SELECT
    times.certificate_id,
    times.certificate_id AS card_id,
    left(folded.municipality, 2) || '000000' AS region,
    folded.municipality,
    folded.category,
    times.mark,
    times.from_on,
    times.until_on
FROM times
JOIN folded USING (certificate_id)
