-- One row per social passport of a family.
WITH
-- The last word on each section: filled or cleared. On one moment filling wins, since a section is cleared to be filled anew.
sections AS (
    SELECT
        passport_id,
        section,
        arg_max(event = 'section_filled', epoch_us(occurred_at) * 2 + (event = 'section_filled')::BIGINT) AS is_filled,
        max(occurred_on) FILTER (event = 'section_filled') AS filled_on
    FROM passports
    WHERE section IS NOT NULL
    GROUP BY passport_id, section
),

-- How many sections of a passport are filled, and since when the last of them is.
filled AS (
    SELECT
        passport_id,
        count(*) AS n_sections,
        max(filled_on) AS last_filled_on
    FROM sections
    WHERE is_filled
    GROUP BY passport_id
),

-- What all events of a passport say together; an attribute is the last one that was told.
folded AS (
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
)

-- A passport whose opening is not known yet counts from its first known event, like a case without a registration.
SELECT
    folded.passport_id,
    left(folded.municipality, 2) || '000000' AS region,
    folded.municipality,
    folded.category,
    folded.person_id,
    coalesce(folded.opened_on, folded.first_on) AS opened_on,
    folded.opened_on IS NOT NULL AS has_opening,
    folded.closed_on,
    coalesce(filled.n_sections, 0) AS n_sections,
    coalesce(filled.n_sections, 0) = 6 AS is_full,
    CASE WHEN filled.n_sections = 6 THEN filled.last_filled_on END AS full_on
FROM folded
LEFT JOIN filled USING (passport_id)
