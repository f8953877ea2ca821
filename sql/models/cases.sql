-- One row per case.
--
-- Events come in any order, each once. The fold is made of plain aggregates over narrow states: windows and lists over a
-- million events cost several times as much, and every column that can be told afterwards is told afterwards.
WITH
-- The step of an event in the life of a case, in the order that a case goes through them; several suspensions and
-- resumptions take turns. A register that knows only the day puts several events at one midnight: the step orders them.
stepped AS (
    SELECT
        *,
        CASE event
            WHEN 'registered' THEN 0
            WHEN 'taken' THEN 1
            WHEN 'suspended' THEN 2 * coalesce(repetition, 1)
            WHEN 'resumed' THEN 2 * coalesce(repetition, 1) + 1
            WHEN 'extended' THEN 400
            WHEN 'received' THEN 401
            WHEN 'intake_refused' THEN 402
            WHEN 'notified' THEN 403
            WHEN 'suspension_notified' THEN 404
            WHEN 'data_complete' THEN 405
            WHEN 'extension_notified' THEN 406
            WHEN 'correction_requested' THEN 407
            WHEN 'corrected' THEN 408
            WHEN 'granted' THEN 500
            WHEN 'refused' THEN 501
            WHEN 'provided' THEN 502
            WHEN 'withdrawn' THEN 503
            ELSE 504
        END AS step
    FROM cases
),

-- The place of an event: its moment, then its step. Microseconds times 1024 leave room for the step in a BIGINT.
placed AS (
    SELECT
        *,
        epoch_us(occurred_at) * 1024 + step AS place
    FROM stepped
),

-- What all events of a case say together. An attribute is the last one that was told: arg_max passes over nulls, so an
-- event that does not repeat the category leaves the category as it was. Receipt, refusal of intake, extension of the term,
-- notices, corrections and archiving (400 to 408, 504) are no states, so the last state is looked for among the other events.
folded AS (
    SELECT
        case_id,
        arg_max(municipality, place) AS municipality,
        arg_max(agency, place) AS agency,
        arg_max(service, place) AS service,
        arg_max(category, place) AS category,
        arg_max(channel, place) AS channel,
        arg_max(circumstance, place) AS circumstance,
        arg_max(person_id, place) AS person_id,
        arg_max(amount, place) AS amount,
        arg_max(ground, place) FILTER (step = 501) AS refusal_ground,
        arg_max(ground, place) FILTER (step = 400) AS extension_ground,
        arg_max(ground, place) FILTER (step = 402) AS intake_ground,
        max(place) FILTER (step NOT BETWEEN 400 AND 408 AND step <> 504) AS state_place,
        max(place) FILTER (step = 504) AS archived_place,
        min(occurred_on) FILTER (step NOT IN (401, 402)) AS first_on,
        min(occurred_on) FILTER (step = 401) AS received_on,
        max(occurred_on) FILTER (step = 402) AS intake_refused_on,
        min(occurred_on) FILTER (step = 0) AS registered_on,
        min(occurred_on) FILTER (step BETWEEN 2 AND 399 AND step % 2 = 0) AS suspended_on,
        max(occurred_on) FILTER (step = 400) AS extended_on,
        max(occurred_on) FILTER (step IN (500, 501)) AS decided_on,
        max(occurred_on) FILTER (step = 403) AS notified_on,
        max(occurred_on) FILTER (step = 502) AS provided_on,
        max(occurred_on) FILTER (step BETWEEN 501 AND 503) AS concluded_on,
        max(occurred_on) FILTER (step = 504) AS archived_on,
        count(*) FILTER (step BETWEEN 2 AND 399 AND step % 2 = 0) AS n_suspensions,
        count(*) FILTER (step = 400) AS n_extensions
    FROM placed
    GROUP BY case_id
),

-- The last state, read back from its place, and whether the file went to the archive after it.
read_back AS (
    SELECT
        *,
        state_place % 1024 AS state,
        coalesce(archived_place > coalesce(state_place, 0), FALSE) AS is_archived
    FROM folded
),

-- Archiving ends a case that has no result yet. A file archived after a decision or after the support keeps that result
-- as its status, or the archive would swallow all results in time.
stated AS (
    SELECT
        *,
        CASE
            WHEN state = 500 THEN 'granted'
            WHEN state = 501 THEN 'refused'
            WHEN state = 502 THEN 'provided'
            WHEN state = 503 THEN 'withdrawn'
            WHEN is_archived THEN 'archived'
            WHEN state IS NULL AND intake_refused_on IS NOT NULL THEN 'not_accepted'
            WHEN state = 0 THEN 'new'
            WHEN state IS NULL AND received_on IS NOT NULL AND n_extensions = 0 THEN 'new'
            WHEN state > 1 AND state % 2 = 0 THEN 'suspended'
            ELSE 'in_progress'
        END AS status
    FROM read_back
)

-- A case without a registration is kept: the support happened and has to be counted, and the registration may still come.
-- Until then it counts as registered on the day of its first known event, and has_registration says so. An application that
-- has only been received, or whose intake was refused, is not registered.
SELECT
    case_id,
    -- By the classifier the first two digits of a municipality are its region.
    left(municipality, 2) || '000000' AS region,
    municipality,
    agency,
    service,
    -- The group is the first word of the measure's code, see the list `services`.
    split_part(service, '_', 1) AS support_group,
    category,
    channel,
    circumstance,
    person_id,
    status,
    CASE WHEN status = 'refused' THEN refusal_ground END AS refusal_ground,
    extension_ground,
    CASE WHEN status = 'not_accepted' THEN intake_ground END AS intake_ground,
    received_on,
    CASE WHEN status = 'not_accepted' THEN intake_refused_on END AS intake_refused_on,
    coalesce(registered_on, first_on) AS registered_on,
    registered_on IS NOT NULL AS has_registration,
    suspended_on,
    extended_on,
    decided_on,
    notified_on,
    provided_on,
    -- A granted case stays open until the support is provided or its file is archived.
    CASE
        WHEN status IN ('refused', 'provided', 'withdrawn') THEN concluded_on
        WHEN status = 'not_accepted' THEN intake_refused_on
        WHEN is_archived THEN archived_on
    END AS closed_on,
    amount,
    n_suspensions,
    n_extensions
FROM stated
