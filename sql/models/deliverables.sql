-- One row per document or notice that proves a control point.
WITH
-- A document is registered and signed, a notice published and ended with a contract; on one day the later step wins.
folded AS (
    SELECT
        project,
        milestone,
        deliverable_id,
        arg_max(region, occurred_at) AS region,
        arg_max(system, occurred_at) AS system,
        arg_max(kind, occurred_at) AS kind,
        arg_max(amount, occurred_at) AS amount,
        arg_max(
            event,
            epoch_us(occurred_at) * 8 + CASE event
                WHEN 'registered' THEN 0 WHEN 'published' THEN 1 WHEN 'signed' THEN 2 WHEN 'contracted' THEN 3 ELSE 4
            END
        ) AS state,
        min(occurred_on) AS registered_on,
        max(occurred_on) FILTER (event = 'signed') AS signed_on,
        max(occurred_on) FILTER (event = 'published') AS published_on,
        max(occurred_on) FILTER (event = 'contracted') AS contracted_on,
        max(occurred_on) FILTER (event = 'cancelled') AS cancelled_on
    FROM deliverables
    GROUP BY project, milestone, deliverable_id
)

SELECT
    project,
    milestone,
    deliverable_id,
    region,
    system,
    kind,
    amount,
    state,
    -- First day on which the system shows it.
    registered_on,
    signed_on,
    published_on,
    contracted_on,
    cancelled_on,
    -- A signed document, a published notice or a contract proves the point; a draft that is only registered does not.
    state IN ('signed', 'published', 'contracted') AS is_proof
FROM folded
