-- One row per virtual social card or its application.
WITH
-- Uses tell where a card was shown, not where its holder lives, so place and category come from the other events where
-- there are any. The last step on one moment wins: applied, issued, refused, expired.
folded AS (
    SELECT
        certificate_id,
        coalesce(
            arg_max(municipality, occurred_at) FILTER (event <> 'used'),
            arg_max(municipality, occurred_at)
        ) AS municipality,
        arg_max(category, occurred_at) AS category,
        arg_max(person_id, occurred_at) AS person_id,
        arg_max(ground, occurred_at) FILTER (event = 'refused') AS refusal_ground,
        arg_max(
            event,
            epoch_us(occurred_at) * 4 + CASE event WHEN 'applied' THEN 0 WHEN 'issued' THEN 1 WHEN 'refused' THEN 2 ELSE 3 END
        ) FILTER (event <> 'used') AS last_event,
        min(occurred_on) AS first_on,
        min(occurred_on) FILTER (event = 'applied') AS applied_on,
        min(occurred_on) FILTER (event = 'issued') AS issued_on,
        max(occurred_on) FILTER (event = 'refused') AS refused_on,
        max(occurred_on) FILTER (event = 'expired') AS expired_on,
        epoch_us(min(occurred_at) FILTER (event = 'applied')) AS applied_us,
        epoch_us(min(occurred_at) FILTER (event = 'issued')) AS issued_us,
        count(*) FILTER (event = 'used') AS n_uses,
        max(occurred_on) FILTER (event = 'used') AS last_used_on
    FROM certificates
    WHERE kind = 'virtual_card'
    GROUP BY certificate_id
)

-- A card that was shown has been issued, whether or not the register has told so yet; the day of issue stays unknown.
SELECT
    certificate_id,
    certificate_id AS card_id,
    left(municipality, 2) || '000000' AS region,
    municipality,
    category,
    person_id,
    CASE
        WHEN n_uses > 0 AND coalesce(last_event, 'applied') = 'applied' THEN 'issued'
        ELSE last_event
    END AS state,
    refusal_ground,
    coalesce(applied_on, first_on) AS applied_on,
    issued_on,
    refused_on,
    expired_on,
    (issued_us - applied_us) / 3600000000.0 AS issue_hours,
    n_uses,
    last_used_on
FROM folded
