-- One row per project.
WITH
-- What is known of each control point; a point without a planned day is none yet.
points AS (
    SELECT
        project,
        milestone,
        arg_max(planned_on, occurred_at) FILTER (event = 'milestone_planned') AS planned_on,
        arg_max(done_on, occurred_at) FILTER (event = 'milestone_done') AS done_on
    FROM projects
    WHERE milestone IS NOT NULL
    GROUP BY project, milestone
    HAVING planned_on IS NOT NULL
),

counted AS (
    SELECT
        project,
        max(planned_on) AS ends_on,
        count(*) AS n_points,
        count(done_on) AS n_done,
        max(done_on) AS last_done_on
    FROM points
    GROUP BY project
),

-- The first word on a project is its plan.
told AS (
    SELECT
        project,
        arg_max(region, occurred_at) AS region,
        min(occurred_on) AS started_on,
        count(DISTINCT kpi) FILTER (event = 'kpi_declared') AS n_kpis
    FROM projects
    GROUP BY project
)

SELECT
    told.project,
    told.region,
    told.started_on,
    counted.ends_on,
    told.n_kpis,
    coalesce(counted.n_points, 0) AS n_points,
    coalesce(counted.n_done, 0) AS n_done,
    -- The day on which the last point was reached, once all are.
    CASE WHEN counted.n_done = counted.n_points THEN counted.last_done_on END AS finished_on
FROM told
LEFT JOIN counted USING (project)
