-- One row per case and time in one status.
WITH
-- The steps of a case and their order are those of the model of cases; what is no step there is none here. Kept, since reading
-- the events is what costs most.
stepped AS MATERIALIZED (
    SELECT
        case_id,
        municipality,
        agency,
        service,
        category,
        channel,
        person_id,
        occurred_on,
        epoch_us(occurred_at) * 1024 + CASE event
            WHEN 'registered' THEN 0
            WHEN 'taken' THEN 1
            WHEN 'suspended' THEN 2 * coalesce(repetition, 1)
            WHEN 'resumed' THEN 2 * coalesce(repetition, 1) + 1
            WHEN 'granted' THEN 500
            WHEN 'refused' THEN 501
            WHEN 'provided' THEN 502
            WHEN 'withdrawn' THEN 503
            ELSE 504
        END AS place,
        CASE event
            WHEN 'registered' THEN 'new'
            WHEN 'suspended' THEN 'suspended'
            WHEN 'granted' THEN 'granted'
            WHEN 'refused' THEN 'refused'
            WHEN 'provided' THEN 'provided'
            WHEN 'withdrawn' THEN 'withdrawn'
            WHEN 'archived' THEN 'archived'
            ELSE 'in_progress'
        END AS status
    FROM cases
    WHERE event NOT IN (
        'received', 'intake_refused', 'extended', 'notified', 'suspension_notified', 'extension_notified', 'data_complete',
        'correction_requested', 'corrected'
    )
),

-- The archive is a status of what has no result only; a granted case in the archive keeps its status and is open no more.
results AS (
    SELECT
        case_id,
        min(place) FILTER (status IN ('granted', 'refused', 'provided', 'withdrawn')) AS result_place
    FROM stepped
    GROUP BY case_id
    HAVING bool_or(status = 'archived')
),

-- The status with which each day ended.
days AS (
    SELECT
        stepped.case_id,
        stepped.occurred_on AS from_on,
        arg_max(stepped.status, stepped.place) AS status
    FROM stepped
    LEFT JOIN results USING (case_id)
    WHERE stepped.status <> 'archived' OR coalesce(stepped.place < results.result_place, TRUE)
    GROUP BY stepped.case_id, stepped.occurred_on
),

-- A status holds until the day of the next word; a word that repeats it is a row of its own.
times AS (
    SELECT
        *,
        lead(from_on) OVER (PARTITION BY case_id ORDER BY from_on) AS until_on
    FROM days
),

-- What holds for a case all the time; an attribute is the last one that was told.
attributes AS (
    SELECT
        case_id,
        arg_max(municipality, place) AS municipality,
        arg_max(agency, place) AS agency,
        arg_max(service, place) AS service,
        arg_max(category, place) AS category,
        arg_max(channel, place) AS channel,
        arg_max(person_id, place) AS person_id
    FROM stepped
    GROUP BY case_id
)

SELECT
    times.case_id,
    left(attributes.municipality, 2) || '000000' AS region,
    attributes.municipality,
    attributes.agency,
    attributes.service,
    split_part(attributes.service, '_', 1) AS support_group,
    attributes.category,
    attributes.channel,
    attributes.person_id,
    times.status,
    times.from_on,
    times.until_on
FROM times
JOIN attributes USING (case_id)
