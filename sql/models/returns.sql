-- One row per questionnaire of a returned citizen.
WITH
folded AS (
    SELECT
        return_id,
        arg_max(region, occurred_at) AS region,
        arg_max(municipality, occurred_at) AS municipality,
        arg_max(person_id, occurred_at) AS person_id,
        min(occurred_on) AS first_on,
        min(occurred_on) FILTER (event = 'filed') AS filed_on,
        count(*) FILTER (event = 'routed') AS n_routed,
        count(*) FILTER (event = 'provided') AS n_provided
    FROM returns
    GROUP BY return_id
)

-- A questionnaire whose filing is not known yet counts from its first known event.
SELECT
    return_id,
    region,
    municipality,
    person_id,
    coalesce(filed_on, first_on) AS filed_on,
    n_routed,
    n_provided
FROM folded
