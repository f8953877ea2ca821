-- One row per control point of a project.
WITH
-- What all events of a control point say together. Each new forecast takes the place of the one before it; of two given at once that
-- of the later month counts.
folded AS (
    SELECT
        project,
        milestone,
        arg_max(region, occurred_at) AS region,
        arg_max(result, occurred_at) FILTER (event = 'milestone_planned') AS event,
        arg_max(kind, occurred_at) FILTER (event = 'milestone_planned') AS kind,
        arg_max(planned_on, occurred_at) FILTER (event = 'milestone_planned') AS planned_on,
        arg_max(forecast_on, (occurred_at, period)) FILTER (event = 'milestone_forecast') AS forecast_on,
        arg_max(done_on, occurred_at) FILTER (event = 'milestone_done') AS done_on,
        arg_max(has_document, occurred_at) FILTER (event = 'milestone_done') AS has_document,
        arg_max(predecessor, occurred_at) FILTER (event = 'milestone_planned') AS predecessor,
        arg_max(successor, occurred_at) FILTER (event = 'milestone_planned') AS successor,
        arg_max(responsible_role, occurred_at) FILTER (event = 'milestone_planned') AS responsible_role,
        arg_max(deliverable, occurred_at) FILTER (event = 'milestone_planned') AS deliverable,
        arg_max(system, occurred_at) FILTER (event = 'milestone_planned') AS system
    FROM projects
    WHERE milestone IS NOT NULL
    GROUP BY project, milestone
)

-- A point without a planned day is no control point yet: its forecast or fact waits in the lake until the plan comes.
SELECT
    project,
    milestone,
    region,
    event,
    kind,
    planned_on,
    forecast_on,
    done_on,
    coalesce(has_document, FALSE) AS has_document,
    -- Calendar days by which the fact, or the last forecast where there is no fact, is later than the plan.
    coalesce(done_on, forecast_on) - planned_on AS slip_days,
    predecessor,
    successor,
    responsible_role,
    deliverable,
    system
FROM folded
WHERE planned_on IS NOT NULL
