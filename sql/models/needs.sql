-- One row per need.
WITH
-- What all events of a need say together. On one moment its end is later than its record, and a fulfilled need than a cancelled one.
placed AS (
    SELECT
        *,
        epoch_us(occurred_at) * 4 + CASE event WHEN 'recorded' THEN 0 WHEN 'cancelled' THEN 1 ELSE 2 END AS place
    FROM needs
),

folded AS (
    SELECT
        need_id,
        arg_max(passport_id, place) AS passport_id,
        arg_max(region, place) AS region,
        arg_max(municipality, place) AS municipality,
        arg_max(category, place) AS category,
        arg_max(holder, place) AS holder,
        arg_max(kinship, place) AS kinship,
        arg_max(service, place) AS service,
        arg_max(agency, place) AS agency,
        arg_max(person_id, place) AS person_id,
        arg_max(event, place) FILTER (event <> 'recorded') AS last_event,
        min(occurred_on) AS first_on,
        min(occurred_on) FILTER (event = 'recorded') AS recorded_on,
        max(occurred_on) FILTER (event = 'fulfilled') AS fulfilled_on,
        max(occurred_on) FILTER (event <> 'recorded') AS over_on
    FROM placed
    GROUP BY need_id
)

-- A need whose record is not known yet counts from its first known event.
SELECT
    need_id,
    passport_id,
    region,
    municipality,
    -- The group is the first word of the measure's code, see the list of services.
    split_part(service, '_', 1) AS support_group,
    service,
    agency,
    category,
    holder,
    kinship,
    person_id,
    coalesce(last_event, 'open') AS state,
    coalesce(recorded_on, first_on) AS recorded_on,
    CASE WHEN last_event = 'fulfilled' THEN fulfilled_on END AS fulfilled_on,
    over_on
FROM folded
