-- One row per control point of a project in its network.
--
-- Control points have a deadline and no beginning, so a link lasts the calendar days between the two deadlines. What cannot be
-- told from the links (a cycle, a point that is not there) is reported and not guessed.
WITH RECURSIVE
-- The control points as their own model reads them.
points AS (
    SELECT
        project,
        milestone,
        arg_max(region, occurred_at) AS region,
        arg_max(result, occurred_at) FILTER (event = 'milestone_planned') AS event,
        arg_max(planned_on, occurred_at) FILTER (event = 'milestone_planned') AS planned_on,
        arg_max(forecast_on, (occurred_at, period)) FILTER (event = 'milestone_forecast') AS forecast_on,
        arg_max(done_on, occurred_at) FILTER (event = 'milestone_done') AS done_on,
        arg_max(predecessor, occurred_at) FILTER (event = 'milestone_planned') AS predecessor,
        arg_max(successor, occurred_at) FILTER (event = 'milestone_planned') AS successor,
        arg_max(responsible_role, occurred_at) FILTER (event = 'milestone_planned') AS responsible_role
    FROM projects
    WHERE milestone IS NOT NULL
    GROUP BY project, milestone
    HAVING planned_on IS NOT NULL
),

-- A link may be named by both of its points; `n_sides` says how many did.
named AS (
    SELECT
        project,
        source,
        target,
        count(*) AS n_sides
    FROM (
        SELECT project, predecessor AS source, milestone AS target FROM points WHERE predecessor IS NOT NULL
        UNION ALL
        SELECT project, milestone, successor FROM points WHERE successor IS NOT NULL
    )
    GROUP BY project, source, target
),

-- The links between points of the plan, with their days; a predecessor that is due later takes no days.
links AS (
    SELECT
        named.*,
        CAST(greatest(one.planned_on, other.planned_on) - one.planned_on AS INTEGER) AS lag_days,
        one.planned_on > other.planned_on AS is_backwards
    FROM named
    JOIN points AS one ON one.project = named.project AND one.milestone = named.source
    JOIN points AS other ON other.project = named.project AND other.milestone = named.target
),

-- Which point comes before which, however far.
reach AS (
    SELECT project, source, target FROM links
    UNION
    SELECT reach.project, reach.source, links.target
    FROM reach
    JOIN links ON links.project = reach.project AND links.source = reach.target
),

-- The points that wait for themselves.
cycles AS (
    SELECT project, source AS milestone
    FROM reach
    WHERE source = target
),

-- Links that days can follow: not into, within or out of a cycle.
sound AS (
    SELECT links.*
    FROM links
    ANTI JOIN cycles AS one ON one.project = links.project AND one.milestone = links.source
    ANTI JOIN cycles AS other ON other.project = links.project AND other.milestone = links.target
),

-- The days on which a point may be reached: by its own fact, forecast or plan, or because of a point before it. What is done
-- is moved by nothing.
early AS (
    SELECT
        project,
        milestone,
        coalesce(done_on, forecast_on, planned_on) AS day
    FROM points
    UNION
    SELECT
        sound.project,
        sound.target,
        early.day + sound.lag_days
    FROM early
    JOIN sound ON sound.project = early.project AND sound.source = early.milestone
    JOIN points ON points.project = sound.project AND points.milestone = sound.target AND points.done_on IS NULL
),

-- The days by which a point has to be reached so that the last deadline of the project stands.
late AS (
    SELECT
        project,
        milestone,
        max(planned_on) OVER (PARTITION BY project) AS day
    FROM points
    UNION
    SELECT
        sound.project,
        sound.source,
        late.day - sound.lag_days
    FROM late
    JOIN sound ON sound.project = late.project AND sound.target = late.milestone
),

expected AS (SELECT project, milestone, max(day) AS expected_on FROM early GROUP BY project, milestone),

latest AS (SELECT project, milestone, min(day) AS latest_on FROM late GROUP BY project, milestone),

-- What is wrong with the links of a point; the worst is told.
judged AS (
    SELECT
        points.project,
        points.milestone,
        EXISTS (FROM cycles WHERE cycles.project = points.project AND cycles.milestone = points.milestone) AS is_cycle,
        -- Days cannot be told where a cycle stands before or behind the point.
        EXISTS (
            FROM reach
            JOIN cycles ON cycles.project = reach.project AND cycles.milestone = reach.source
            WHERE reach.project = points.project AND reach.target = points.milestone
        ) AS is_after_cycle,
        EXISTS (
            FROM reach
            JOIN cycles ON cycles.project = reach.project AND cycles.milestone = reach.target
            WHERE reach.project = points.project AND reach.source = points.milestone
        ) AS is_before_cycle,
        EXISTS (
            FROM named
            ANTI JOIN links USING (project, source, target)
            WHERE named.project = points.project AND points.milestone IN (named.source, named.target)
        ) AS is_unknown,
        EXISTS (
            FROM links
            WHERE links.project = points.project AND points.milestone IN (links.source, links.target) AND is_backwards
        ) AS is_backwards,
        EXISTS (
            FROM links
            WHERE links.project = points.project AND points.milestone IN (links.source, links.target) AND n_sides = 1
        ) AS is_one_sided
    FROM points
),

figured AS (
    SELECT
        points.*,
        CASE
            WHEN is_cycle THEN 'cycle'
            WHEN is_unknown THEN 'unknown'
            WHEN is_backwards THEN 'backwards'
            WHEN is_one_sided THEN 'one_sided'
            ELSE 'sound'
        END AS links,
        CASE WHEN NOT is_cycle AND NOT is_after_cycle THEN expected_on END AS expected_on,
        CASE WHEN NOT is_cycle AND NOT is_before_cycle THEN latest_on END AS latest_on
    FROM points
    JOIN judged USING (project, milestone)
    JOIN expected USING (project, milestone)
    JOIN latest USING (project, milestone)
)

SELECT
    project,
    milestone,
    region,
    event,
    responsible_role,
    planned_on,
    done_on,
    latest_on,
    expected_on,
    -- Calendar days by which the point may be late by the plan before the last deadline of the project moves.
    latest_on - planned_on AS float_days,
    expected_on - planned_on AS expected_slip_days,
    CASE
        WHEN latest_on IS NULL THEN 'unknown'
        WHEN latest_on - planned_on = min(latest_on - planned_on) OVER (PARTITION BY project) THEN 'critical'
        WHEN latest_on - planned_on <= 30 THEN 'near'
        ELSE 'free'
    END AS path,
    links
FROM figured
