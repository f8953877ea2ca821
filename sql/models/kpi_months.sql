-- One row per key figure and month.
WITH
-- What holds for a key figure in all months.
declared AS (
    SELECT
        project,
        kpi,
        arg_max(region, occurred_at) AS region,
        arg_max(direction, occurred_at) FILTER (event = 'kpi_declared') AS direction,
        arg_max(is_cumulative, occurred_at) FILTER (event = 'kpi_declared') AS is_cumulative,
        arg_max(base_value, occurred_at) FILTER (event = 'kpi_declared') AS base,
        arg_max(value, occurred_at) FILTER (event = 'kpi_declared') AS target,
        arg_max(unit, occurred_at) FILTER (event = 'kpi_declared') AS unit,
        arg_max(result, occurred_at) FILTER (event = 'kpi_declared') AS event
    FROM projects
    WHERE kpi IS NOT NULL
    GROUP BY project, kpi
),

-- The values of each month. A month without a plan or a report has none: missing is not zero.
valued AS (
    SELECT
        project,
        kpi,
        period AS month_on,
        arg_max(value, occurred_at) FILTER (event = 'kpi_planned') AS plan,
        arg_max(value, occurred_at) FILTER (event = 'kpi_forecast') AS forecast,
        arg_max(value, occurred_at) FILTER (event = 'kpi_reported') AS fact,
        max(occurred_on) FILTER (event = 'kpi_reported') AS reported_on
    FROM projects
    WHERE kpi IS NOT NULL AND period IS NOT NULL
    GROUP BY project, kpi, period
)

SELECT
    valued.project,
    valued.kpi,
    valued.month_on,
    declared.region,
    declared.event,
    valued.plan,
    valued.forecast,
    valued.fact,
    declared.direction,
    declared.is_cumulative,
    declared.base,
    declared.target,
    declared.unit,
    valued.reported_on
FROM valued
JOIN declared USING (project, kpi)
