-- One row per clock of a subject. Compiled from warehouse/regulations; moments are local ones of the subject's region.
WITH
-- The calendar as it was published.
published AS MATERIALIZED (
    SELECT
        CAST(code AS DATE) AS day,
        is_working = '1' AS is_working,
        is_short = '1' AS is_short
    FROM calendar
),

-- Every day with the number of working days up to it, so that the working days of an interval are a difference of two numbers.
-- A day that nobody has published yet is working from Monday to Friday.
days AS MATERIALIZED (
    SELECT
        day,
        is_working,
        is_short,
        day - DATE '1970-01-01' AS epoch,
        -- As a running sum of rows it takes a tenth of the time of a counted range.
        CAST(sum(CAST(is_working AS BIGINT)) OVER (ORDER BY day ROWS UNBOUNDED PRECEDING) AS BIGINT) AS n
    FROM (
        SELECT
            CAST(span.moment AS DATE) AS day,
            coalesce(published.is_working, isodow(span.moment) < 6) AS is_working,
            coalesce(published.is_short, FALSE) AS is_short
        FROM range(TIMESTAMP '2000-01-01', TIMESTAMP '2060-01-01', INTERVAL 1 DAY) AS span(moment)
        LEFT JOIN published ON published.day = CAST(span.moment AS DATE)
    )
),

-- The day at a position: 1 = the n-th working day, 2 = a calendar day, 3 = a calendar day or the working day after it.
spots AS MATERIALIZED (
    SELECT 10000000 + n AS spot, day FROM days WHERE is_working
    UNION ALL
    SELECT 20000000 + epoch AS spot, day FROM days
    UNION ALL
    SELECT
        30000000 + epoch AS spot,
        min(day) FILTER (is_working) OVER (ORDER BY day ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS day
    FROM days
),

-- The declared terms.
terms AS (
    SELECT * FROM (VALUES
{terms}
    ) AS term(
        term_id, regulation, clock, term_limit, unit, kind, unit_minutes, is_day_of, is_after_hours, closes, closes_short,
        margin, pause_cap
    )
),

{folds}

-- One row per clock that has started or is awaited.
started AS (
{started}
),

-- Where each of them begins to count: its first unit is the one after `origin`.
counted AS (
{counted}
),

-- The same for clocks that were paused.
started_paused AS (
{started_paused}
),
counted_paused AS (
{counted_paused}
),

-- Suspensions with their resumptions, by clock.
turns AS (
{turns}
),

-- Each pause in positions: no unit after `from_pos` up to `until_pos` counts (`least` and `greatest` pass over nulls). A pause that is open goes on to its cap; without a
-- cap for ever, which is written as a million.
pauses AS (
    SELECT
        item.subject_id,
        item.clock_id,
        turn.paused_on,
        turn.resumed_on IS NULL AS is_open,
        item.origin,
        item.origin + item.term_limit + item.extension AS plain_due_pos,
        CASE WHEN item.kind = 1 THEN stop_day.n ELSE stop_day.epoch END AS stop_pos,
        CASE WHEN item.kind = 1 THEN from_day.n ELSE from_day.epoch END AS from_pos,
        coalesce(
            least(
                CASE WHEN item.kind = 1 THEN until_day.n ELSE until_day.epoch END,
                CASE WHEN item.kind = 1 THEN from_day.n ELSE from_day.epoch END + item.pause_cap
            ),
            1000000
        ) AS until_pos
    FROM counted_paused AS item
    INNER JOIN turns AS turn USING (subject_id, clock_id)
    LEFT JOIN days AS from_day ON from_day.day = turn.paused_on
    LEFT JOIN days AS until_day ON turn.resumed_on IS NOT NULL AND until_day.day = greatest(turn.resumed_on, turn.paused_on)
    LEFT JOIN days AS stop_day ON stop_day.day = item.stopped_on
    -- What has not started cannot be paused, nor what has stopped.
    WHERE item.started_on IS NOT NULL AND (item.stopped_on IS NULL OR turn.paused_on <= item.stopped_on)
),

-- Pauses that overlap are counted once, and only those parts that the clock could lose.
parted AS (
    SELECT
        *,
        greatest(
            from_pos,
            origin,
            max(until_pos) OVER (
                PARTITION BY subject_id, clock_id ORDER BY from_pos, until_pos
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            )
        ) AS begin_pos
    FROM pauses
),

-- A clock that has run out cannot be paused any more, so a pause needs to begin before it is due by the pauses before.
judged AS (
    SELECT
        *,
        greatest(until_pos - begin_pos, 0) AS n_units,
        coalesce(
            from_pos < plain_due_pos + coalesce(
                sum(greatest(until_pos - begin_pos, 0)) OVER (
                    PARTITION BY subject_id, clock_id ORDER BY from_pos, until_pos
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ),
                0
            ),
            TRUE
        ) AS is_before_due
    FROM parted
),
valid AS (
    SELECT
        *,
        bool_and(is_before_due) OVER (
            PARTITION BY subject_id, clock_id ORDER BY from_pos, until_pos
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS is_valid
    FROM judged
),
paused AS (
    SELECT
        subject_id,
        clock_id,
        CAST(sum(n_units) AS BIGINT) AS paused_units,
        CAST(
            sum(
                CASE
                    WHEN stop_pos IS NOT NULL THEN greatest(least(until_pos, stop_pos) - begin_pos, 0)
                    WHEN is_open THEN 0
                    ELSE n_units
                END
            ) AS BIGINT
        ) AS suspended_units,
        max(paused_on) FILTER (is_open AND stop_pos IS NULL) AS paused_since,
        max(until_pos) FILTER (is_open AND stop_pos IS NULL) AS paused_until_pos
    FROM valid
    WHERE is_valid
    GROUP BY subject_id, clock_id
),

-- Positions of all that has a day.
placed AS (
    SELECT
        counted.*,
        paused.paused_units,
        coalesce(paused.suspended_units, 0) AS suspended_units,
        paused.paused_since,
        paused.paused_until_pos,
        counted.origin + counted.term_limit + counted.extension AS plain_due_pos,
        counted.origin + counted.term_limit + counted.extension + coalesce(paused.paused_units, 0) AS due_pos,
        counted.started_at + to_minutes(counted.term_limit * counted.unit_minutes) AS due_local
    FROM counted
    LEFT JOIN paused USING (subject_id, clock_id)
),

-- Positions as days.
dated AS (
    SELECT
        placed.subject_id,
        placed.subject_kind,
        placed.regulation,
        placed.clock,
        placed.repetition,
        placed.edition,
        placed.region,
        placed.municipality,
        placed.agency,
        placed.service,
        placed.category,
        placed.channel,
        placed.stage,
        coalesce(placed.started_on, CAST(placed.awaited_at AS DATE)) AS opened_on,
        placed.started_on,
        coalesce(due_spot.day, CAST(placed.due_local AS DATE)) AS due_on,
        -- The moment, where the unit is shorter than a day.
        placed.due_local - {offset} AS due_at,
        CASE WHEN placed.kind = 1 THEN risk_spot.day ELSE due_spot.day - CAST(placed.margin AS INTEGER) END AS at_risk_on,
        placed.stopped_on,
        -- A clock that has stopped is not cancelled, and what came before its start is of an earlier life.
        CASE
            WHEN placed.stopped_on IS NULL AND CAST(placed.cancelled_at AS DATE) >= placed.started_on THEN CAST(placed.cancelled_at AS DATE)
        END AS cancelled_on,
        placed.paused_since,
        pause_spot.day AS paused_until,
        placed.suspended_units AS suspended_days,
        placed.extension AS extension_days,
        placed.n_extensions,
        plain_spot.day AS due_unpaused_on,
        placed.term_limit,
        placed.unit,
        CASE
            WHEN placed.kind = 1 THEN greatest(stop_day.n - placed.origin - placed.suspended_units, 0)
            WHEN placed.kind IN (2, 3) THEN greatest(stop_day.epoch - placed.origin - placed.suspended_units, 0)
            ELSE greatest(epoch_us(placed.stopped_at) - epoch_us(placed.started_at), 0) / 60000000.0 / placed.unit_minutes
        END AS used,
        CASE
            WHEN placed.started_at IS NULL OR placed.stopped_at IS NULL OR placed.term_limit IS NULL THEN NULL
            WHEN placed.unit_minutes IS NOT NULL THEN placed.stopped_at <= placed.due_local
            ELSE coalesce(placed.stopped_on <= due_spot.day, placed.paused_units >= 900000)
        END AS in_time,
        coalesce(due_spot.day, CAST(placed.due_local AS DATE)) > (SELECT max(day) FROM published) AS is_provisional
    FROM placed
    LEFT JOIN spots AS due_spot ON due_spot.spot = placed.kind * 10000000 + placed.due_pos
    LEFT JOIN spots AS plain_spot ON plain_spot.spot = placed.kind * 10000000 + placed.plain_due_pos
    LEFT JOIN spots AS risk_spot ON placed.kind = 1 AND risk_spot.spot = 10000000 + placed.due_pos - placed.margin
    LEFT JOIN spots AS pause_spot ON pause_spot.spot = least(placed.kind, 2) * 10000000 + placed.paused_until_pos
    LEFT JOIN days AS stop_day ON stop_day.day = placed.stopped_on
)

-- `overdue_on` is the first evening on which the clock is past its limit and still runs, if there is one; with `ended_on` it makes
-- a stock that is exact for any day.
SELECT
    *,
    coalesce(stopped_on, cancelled_on) AS ended_on,
    CASE
        WHEN coalesce(coalesce(stopped_on, cancelled_on) > due_on, TRUE)
        THEN due_on + CASE WHEN unit IN ('hours', 'minutes') THEN 0 ELSE 1 END
    END AS overdue_on
FROM dated
