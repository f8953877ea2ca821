-- One row per case and time in one status.
WITH
-- The steps of a case and their order are those of the model of cases; what is no step there is none here.
stepped AS (
    SELECT
        case_id,
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
    WHERE event NOT IN ('received', 'intake_refused', 'extended', 'notified')
),

-- The archive is a status of what has no result only; a granted case in the archive keeps its status and is open no more.
marked AS (
    SELECT
        *,
        coalesce(bool_or(status IN ('granted', 'refused', 'provided', 'withdrawn')) OVER (
            PARTITION BY case_id ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), FALSE) AS has_result
    FROM stepped
),

-- The status with which each day ended.
days AS (
    SELECT
        case_id,
        occurred_on AS from_on,
        arg_max(status, place) FILTER (status <> 'archived' OR NOT has_result) AS status
    FROM marked
    GROUP BY case_id, occurred_on
),

-- Days that only sent a file with a result to the archive, or repeated the status, begin nothing.
changes AS (
    SELECT *
    FROM days
    WHERE status IS NOT NULL
    QUALIFY status IS DISTINCT FROM lag(status) OVER (PARTITION BY case_id ORDER BY from_on)
),

-- A status holds until the day of the next one.
times AS (
    SELECT
        *,
        lead(from_on) OVER (PARTITION BY case_id ORDER BY from_on) AS until_on
    FROM changes
),

-- What holds for a case all the time; an attribute is the last one that was told.
attributes AS (
    SELECT
        case_id,
        arg_max(municipality, occurred_at) AS municipality,
        arg_max(agency, occurred_at) AS agency,
        arg_max(service, occurred_at) AS service,
        arg_max(category, occurred_at) AS category,
        arg_max(channel, occurred_at) AS channel,
        arg_max(person_id, occurred_at) AS person_id
    FROM cases
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
