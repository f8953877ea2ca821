-- One row per debt of a family.
WITH
folded AS (
    SELECT
        debt_id,
        arg_max(region, occurred_at) AS region,
        arg_max(municipality, occurred_at) AS municipality,
        arg_max(person_id, occurred_at) AS person_id,
        arg_max(kind, occurred_at) AS kind,
        arg_max(amount, occurred_at) FILTER (event = 'recorded') AS amount,
        min(occurred_on) AS first_on,
        min(occurred_on) FILTER (event = 'recorded') AS recorded_on,
        max(occurred_on) FILTER (event = 'restructured') AS restructured_on,
        max(occurred_on) FILTER (event = 'settled') AS settled_on
    FROM debts
    GROUP BY debt_id
)

-- A debt whose record is not known yet counts from its first known event.
SELECT
    debt_id,
    region,
    municipality,
    person_id,
    kind,
    amount,
    CASE
        WHEN settled_on IS NOT NULL THEN 'settled'
        WHEN restructured_on IS NOT NULL THEN 'restructured'
        ELSE 'outstanding'
    END AS state,
    coalesce(recorded_on, first_on) AS recorded_on,
    restructured_on,
    settled_on
FROM folded
