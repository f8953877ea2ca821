-- One row per service of an individual programme.
WITH
-- What all events of a service say together; an attribute is the last one that was told.
folded AS (
    SELECT
        programme_id,
        item_id,
        arg_max(region, occurred_at) AS region,
        arg_max(municipality, occurred_at) AS municipality,
        arg_max(form, occurred_at) AS form,
        arg_max(service_kind, occurred_at) AS service_kind,
        arg_max(mark, occurred_at) FILTER (event = 'service_marked') AS mark,
        min(occurred_on) AS first_on,
        min(occurred_on) FILTER (event = 'service_planned') AS planned_on,
        max(occurred_on) FILTER (event = 'service_marked') AS marked_on,
        max(occurred_on) FILTER (event = 'waived') AS waived_on
    FROM programmes
    WHERE event IN ('service_planned', 'service_marked', 'waived')
    GROUP BY programme_id, item_id
)

-- A waiver ends the service whatever mark it got before. A service whose planning is not known yet counts from its first event.
SELECT
    programme_id,
    item_id,
    region,
    municipality,
    form,
    service_kind,
    CASE WHEN waived_on IS NOT NULL THEN 'waived' ELSE coalesce(mark, 'planned') END AS state,
    coalesce(planned_on, first_on) AS planned_on,
    marked_on,
    waived_on
FROM folded
