-- One row per risk and time between two assessments.
WITH
-- What was told of a risk on each day: a word takes the place of the one before it, a word without an impact leaves the impact
-- as it was. Of several words of one moment the assessment is later than the record, that of a later month later than that of an
-- earlier one, and the closing is the last. Milliseconds times 16384 leave room for the step and the month in a BIGINT.
told AS (
    SELECT
        *,
        epoch_us(occurred_at) // 1000 * 16384
            + CASE event WHEN 'recorded' THEN 0 WHEN 'assessed' THEN 1 ELSE 2 END * 4096
            + coalesce(date_diff('month', DATE '2000-01-01', period), 0) AS place
    FROM risks
),

days AS (
    SELECT
        project,
        risk,
        occurred_on AS from_on,
        max(place) AS place,
        arg_max(event, place) = 'closed' AS is_closed
    FROM told
    GROUP BY project, risk, occurred_on
),

-- Everything told up to the end of that day.
known AS (
    SELECT
        days.project,
        days.risk,
        days.from_on,
        days.is_closed,
        arg_max(told.region, told.place) AS region,
        arg_max(told.probability, told.place) AS probability,
        arg_max(told.impact, told.place) AS impact,
        arg_max(told.response, told.place) AS response,
        arg_max(told.responsible_role, told.place) AS responsible_role
    FROM days
    JOIN told
        ON told.project = days.project
        AND told.risk = days.risk
        AND told.place <= days.place
    GROUP BY ALL
),

-- A word holds until the day of the next one.
held AS (
    SELECT
        *,
        lead(from_on) OVER (PARTITION BY project, risk ORDER BY from_on) AS until_on
    FROM known
)

SELECT
    project,
    risk,
    region,
    from_on,
    until_on,
    probability,
    impact,
    -- Probability in per cent × impact of at most 5, in per cent of the greatest product.
    probability * impact / 5 AS score,
    CASE
        WHEN probability * impact IS NULL THEN 'not_assessed'
        WHEN probability * impact / 5 < 10 THEN 'low'
        WHEN probability * impact / 5 < 30 THEN 'medium'
        ELSE 'high'
    END AS level,
    response,
    responsible_role
FROM held
WHERE NOT is_closed
