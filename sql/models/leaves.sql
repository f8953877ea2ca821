-- One row per leave of a participant.
WITH
folded AS (
    SELECT
        leave_id,
        arg_max(region, occurred_at) AS region,
        arg_max(municipality, occurred_at) AS municipality,
        arg_max(person_id, occurred_at) AS person_id,
        arg_max(from_on, occurred_at) AS from_on,
        arg_max(until_on, occurred_at) AS until_on,
        min(occurred_on) FILTER (event = 'recorded') AS recorded_on,
        max(occurred_on) FILTER (event = 'ended') AS ended_on,
        bool_or(event = 'cancelled') AS is_cancelled
    FROM leaves
    GROUP BY leave_id
)

-- A leave without days is none yet: what came of it waits in the lake until they are told.
SELECT
    leave_id,
    region,
    municipality,
    person_id,
    from_on,
    until_on,
    recorded_on,
    ended_on,
    is_cancelled,
    -- First day on which the person is not on leave any more; a leave that does not take place has no day.
    CASE WHEN is_cancelled THEN from_on ELSE greatest(coalesce(ended_on, until_on) + 1, from_on) END AS over_on
FROM folded
WHERE from_on IS NOT NULL
