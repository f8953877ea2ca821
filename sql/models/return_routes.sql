-- One row per kind of support that a questionnaire was routed to.
WITH
-- When each questionnaire was filed.
filed AS (
    SELECT
        return_id,
        min(occurred_at) AS filed_at
    FROM returns
    WHERE event = 'filed'
    GROUP BY return_id
),

-- What happened to each kind of support; support that was provided without a word of its routing was routed by then.
routes AS (
    SELECT
        return_id,
        support_group,
        arg_max(region, occurred_at) AS region,
        arg_max(municipality, occurred_at) AS municipality,
        arg_max(agency, occurred_at) AS agency,
        arg_max(person_id, occurred_at) AS person_id,
        min(occurred_on) AS routed_on,
        min(occurred_at) FILTER (event = 'routed') AS routed_at,
        max(occurred_on) FILTER (event = 'provided') AS provided_on
    FROM returns
    WHERE support_group IS NOT NULL
    GROUP BY return_id, support_group
)

SELECT
    routes.return_id,
    routes.support_group,
    routes.region,
    routes.municipality,
    routes.agency,
    routes.person_id,
    CASE WHEN routes.provided_on IS NULL THEN 'routed' ELSE 'provided' END AS state,
    routes.routed_on,
    (epoch_us(routes.routed_at) - epoch_us(filed.filed_at)) / 3600000000.0 AS routing_hours,
    routes.provided_on
FROM routes
LEFT JOIN filed USING (return_id)
