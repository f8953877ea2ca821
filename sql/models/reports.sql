-- One row per report that a municipal body owes, by register and month.
--
-- The bodies and months come from code lists, so a body that has sent nothing has its row too. Every version of an event
-- counts: a record that was corrected later had been sent all the same.
WITH
-- The working days of each month, numbered from 1.
working_days AS (
    SELECT
        CAST(code AS DATE) AS day,
        CAST(date_trunc('month', CAST(code AS DATE)) AS DATE) AS first_day,
        row_number() OVER (PARTITION BY date_trunc('month', CAST(code AS DATE)) ORDER BY CAST(code AS DATE)) AS number
    FROM calendar
    WHERE is_working = '1'
),

-- A month is due on a working day of the month after it; a month whose next one the calendar does not know has no term yet.
terms AS (
    SELECT
        reports.code AS report,
        reports.region,
        CAST(working_days.first_day - INTERVAL 1 MONTH AS DATE) AS occurred_month,
        working_days.day AS due_on
    FROM reports
    JOIN working_days ON working_days.number = CAST(reports.due_working_day AS BIGINT)
    WHERE working_days.first_day > CAST(reports.from_month AS DATE)
),

-- The bodies that were there at the end of the month.
owed AS (
    SELECT
        terms.report,
        terms.region,
        municipalities.code AS municipality,
        terms.occurred_month,
        terms.due_on
    FROM terms
    JOIN municipalities ON municipalities.region = terms.region
    WHERE coalesce(CAST(municipalities.valid_from AS DATE) <= last_day(terms.occurred_month), TRUE)
        AND coalesce(CAST(municipalities.valid_to AS DATE) >= last_day(terms.occurred_month), TRUE)
),

-- What each register has told of each body and month.
told AS (
    SELECT
        _pipeline AS report,
        municipality,
        occurred_month,
        count(DISTINCT _key_hash) AS n_events,
        min(recorded_at) AS first_recorded_at
    FROM cases
    GROUP BY _pipeline, municipality, occurred_month
)

SELECT
    owed.report,
    owed.region,
    owed.municipality,
    owed.occurred_month,
    owed.due_on,
    -- The local day of the record; empty where nothing was told or the register keeps no time of its records.
    CAST(told.first_recorded_at + to_hours(CAST(regions.utc_offset_hours AS INTEGER)) AS DATE) AS reported_on,
    coalesce(told.n_events, 0) AS n_events
FROM owed
LEFT JOIN told
    ON told.report = owed.report
    AND told.municipality = owed.municipality
    AND told.occurred_month = owed.occurred_month
LEFT JOIN regions ON regions.code = owed.region
