-- One row per role and month.
WITH
-- The last word of each day; who leaves on the day of a new share has the new share.
days AS (
    SELECT
        project,
        responsible_role,
        occurred_on AS from_on,
        arg_max(region, occurred_at) AS region,
        arg_max(event, epoch_us(occurred_at) * 2 + (event = 'joined')::BIGINT) AS event,
        arg_max(share_percent, epoch_us(occurred_at) * 128 + coalesce(repetition, 1)) FILTER (event = 'joined') AS share_percent
    FROM teams
    GROUP BY project, responsible_role, occurred_on
),

-- A word holds until the next one, at the longest to the end of the project.
held AS (
    SELECT
        days.*,
        coalesce(
            lead(days.from_on) OVER (PARTITION BY days.project, days.responsible_role ORDER BY days.from_on),
            CAST(projects.ends_on AS DATE)
        ) AS until_on
    FROM days
    JOIN projects ON projects.code = days.project
),

-- The months at whose end the share holds, or the project ends.
months AS (
    SELECT
        *,
        unnest(generate_series(date_trunc('month', from_on), date_trunc('month', until_on), INTERVAL 1 MONTH))::DATE AS month_on
    FROM held
    WHERE event = 'joined' AND until_on > from_on
)

-- Of several shares in a month the last one counts.
SELECT
    project,
    responsible_role,
    month_on,
    arg_max(region, from_on) AS region,
    arg_max(share_percent, from_on) AS share_percent
FROM months
-- A share that ends on the first day of a month has no day in it.
WHERE until_on > month_on
GROUP BY project, responsible_role, month_on
