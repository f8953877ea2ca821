-- One row per interagency request.
WITH
-- What all events of a request say together; an attribute is the last one that was told.
folded AS (
    SELECT
        request_id,
        arg_max(region, occurred_at) AS region,
        arg_max(municipality, occurred_at) AS municipality,
        arg_max(case_id, occurred_at) AS case_id,
        arg_max(organisation, occurred_at) AS organisation,
        arg_max(service, occurred_at) AS service,
        arg_max(way, occurred_at) AS way,
        min(occurred_on) AS first_on,
        min(occurred_on) FILTER (event = 'sent') AS sent_on,
        max(occurred_on) FILTER (event = 'answered') AS answered_on,
        max(occurred_on) FILTER (event = 'passed_on') AS passed_on
    FROM requests
    GROUP BY request_id
)

-- An answer whose sending is not known yet counts from its first known event.
SELECT
    request_id,
    region,
    municipality,
    case_id,
    organisation,
    service,
    way,
    coalesce(sent_on, first_on) AS sent_on,
    answered_on,
    passed_on
FROM folded
