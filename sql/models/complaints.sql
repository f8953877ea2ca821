-- One row per complaint.
WITH
-- What all events of a complaint say together; an attribute is the last one that was told.
folded AS (
    SELECT
        complaint_id,
        arg_max(region, occurred_at) AS region,
        arg_max(municipality, occurred_at) AS municipality,
        arg_max(agency, occurred_at) AS agency,
        arg_max(service, occurred_at) AS service,
        arg_max(channel, occurred_at) AS channel,
        arg_max(subject, occurred_at) AS subject,
        arg_max(outcome, occurred_at) FILTER (event = 'decided') AS outcome,
        arg_max(case_id, occurred_at) AS case_id,
        min(occurred_on) AS first_on,
        min(occurred_on) FILTER (event = 'registered') AS registered_on,
        max(occurred_on) FILTER (event = 'decided') AS decided_on,
        max(occurred_on) FILTER (event = 'answered') AS answered_on
    FROM complaints
    GROUP BY complaint_id
)

-- A complaint whose registration is not known yet counts from its first known event.
SELECT
    complaint_id,
    region,
    municipality,
    agency,
    service,
    channel,
    subject,
    outcome,
    case_id,
    coalesce(registered_on, first_on) AS registered_on,
    decided_on,
    answered_on
FROM folded
