-- One row per family.
WITH
-- The passport of the family; an attribute is the last one that was told.
passport AS (
    SELECT
        passport_id,
        arg_max(municipality, occurred_at) AS municipality,
        arg_max(category, occurred_at) AS category,
        arg_max(person_id, occurred_at) AS person_id,
        min(occurred_on) AS first_on,
        min(occurred_on) FILTER (event = 'opened') AS opened_on,
        max(occurred_on) FILTER (event = 'closed') AS closed_on
    FROM passports
    GROUP BY passport_id
),

-- The relatives that still stand on the card.
card AS (
    SELECT
        passport_id,
        count(*) AS n_relatives
    FROM (
        SELECT
            passport_id,
            member_id
        FROM families
        GROUP BY passport_id, member_id
        HAVING NOT bool_or(event = 'struck_out')
    )
    GROUP BY passport_id
)

-- A card without a passport is no family yet: it waits in the lake until the passport is told.
SELECT
    passport.passport_id,
    left(passport.municipality, 2) || '000000' AS region,
    passport.municipality,
    passport.category,
    passport.person_id,
    coalesce(passport.opened_on, passport.first_on) AS opened_on,
    passport.closed_on,
    coalesce(card.n_relatives, 0) AS n_relatives,
    -- The citizen of the passport belongs to the family too.
    coalesce(card.n_relatives, 0) + 1 AS n_persons
FROM passport
LEFT JOIN card USING (passport_id)
