-- One row per individual programme of social services.
WITH
-- What all events of a programme say together. A service is marked once, so its marks can be counted as they are.
folded AS (
    SELECT
        programme_id,
        arg_max(region, occurred_at) AS region,
        arg_max(municipality, occurred_at) AS municipality,
        arg_max(case_id, occurred_at) AS case_id,
        arg_max(form, occurred_at) FILTER (item_id IS NULL) AS form,
        arg_max(person_id, occurred_at) AS person_id,
        arg_max(result, occurred_at) FILTER (event = 'concluded') AS result,
        arg_max(until_on, occurred_at) AS until_on,
        min(occurred_on) AS first_on,
        min(occurred_on) FILTER (event = 'drawn_up') AS drawn_up_on,
        min(occurred_on) FILTER (event = 'ready') AS ready_on,
        min(occurred_on) FILTER (event = 'handed_over') AS handed_over_on,
        max(occurred_on) FILTER (event = 'revised') AS revised_on,
        max(occurred_on) FILTER (event = 'concluded') AS concluded_on,
        count(*) FILTER (event = 'service_planned') AS n_services,
        count(*) FILTER (event = 'service_marked' AND mark = 'done') AS n_done,
        count(*) FILTER (event = 'service_marked' AND mark = 'partly') AS n_partly,
        count(*) FILTER (event = 'service_marked' AND mark = 'not_done') AS n_not_done,
        count(*) FILTER (event = 'waived') AS n_waived
    FROM programmes
    GROUP BY programme_id
)

-- A programme whose drawing up is not known yet counts from its first known event.
SELECT
    programme_id,
    region,
    municipality,
    case_id,
    form,
    person_id,
    result,
    until_on,
    coalesce(drawn_up_on, first_on) AS drawn_up_on,
    ready_on,
    handed_over_on,
    revised_on,
    concluded_on,
    n_services,
    n_done,
    n_partly,
    n_not_done,
    n_waived
FROM folded
