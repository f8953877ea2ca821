-- One row per time in which a municipality was there, or had a partner of the card.
--
-- The register of partners is small, so a region is folded whole: which municipalities have nobody is known only then.
WITH
-- The version of an event that was recorded last.
events AS (
    SELECT *
    FROM partners
    QUALIFY row_number() OVER (PARTITION BY _key_hash ORDER BY recorded_at DESC NULLS LAST, _batch DESC, _row DESC) = 1
),

turns AS (
    SELECT
        partner_id,
        coalesce(repetition, 1) AS turn,
        arg_max(municipality, occurred_at) AS municipality,
        min(occurred_on) FILTER (event = 'joined') AS from_on,
        max(occurred_on) FILTER (event = 'left') AS until_on
    FROM events
    GROUP BY partner_id, coalesce(repetition, 1)
    HAVING from_on IS NOT NULL
),

-- A time begins with a partner who comes when all before have left; who stays is told as leaving on the last of days.
begun AS (
    SELECT
        *,
        coalesce(until_on, DATE '9999-12-31') AS ends_on,
        coalesce(from_on > max(coalesce(until_on, DATE '9999-12-31')) OVER (
            PARTITION BY municipality ORDER BY from_on, partner_id, turn ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), TRUE) AS is_first
    FROM turns
),

numbered AS (
    SELECT
        *,
        count(*) FILTER (is_first) OVER (PARTITION BY municipality ORDER BY from_on, partner_id, turn) AS number
    FROM begun
),

covered AS (
    SELECT
        municipality,
        min(from_on) AS from_on,
        nullif(max(ends_on), DATE '9999-12-31') AS until_on
    FROM numbered
    GROUP BY municipality, number
)

SELECT
    left(municipality, 2) || '000000' AS region,
    municipality,
    'covered' AS mark,
    from_on,
    until_on
FROM covered
UNION ALL
-- The municipalities of the regions that have partners at all; districts of a city are parts of it. The project of the card
-- is younger than the classifier's first changes, so a municipality without a first day is there since 2022.
SELECT
    region,
    code,
    'place',
    coalesce(CAST(valid_from AS DATE), DATE '2022-01-01'),
    CAST(valid_to AS DATE) + 1
FROM municipalities
WHERE kind <> 'city_district'
    AND region IN (SELECT region FROM events)
