-- One row per relative on a kinship card.
WITH
-- What all events of a relative say together; an attribute is the last one that was told.
folded AS (
    SELECT
        passport_id,
        member_id,
        arg_max(region, occurred_at) AS region,
        arg_max(municipality, occurred_at) AS municipality,
        arg_max(kinship, occurred_at) AS kinship,
        arg_max(person_id, occurred_at) AS person_id,
        min(occurred_on) AS first_on,
        min(occurred_on) FILTER (event = 'entered') AS entered_on,
        max(occurred_on) FILTER (event = 'struck_out') AS struck_out_on
    FROM families
    GROUP BY passport_id, member_id
)

-- A relative whose entry is not known yet counts from the first known event.
SELECT
    passport_id,
    member_id,
    region,
    municipality,
    kinship,
    person_id,
    coalesce(entered_on, first_on) AS entered_on,
    struck_out_on
FROM folded
