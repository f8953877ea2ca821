-- One row per electronic certificate or its application.
WITH
-- What all events of a certificate say together. Spending and refunds tell the seller's place, so the holder's place comes
-- from the other events where there are any. The last step on one moment wins: applied, issued, refused, expired.
folded AS (
    SELECT
        certificate_id,
        coalesce(
            arg_max(municipality, occurred_at) FILTER (event NOT IN ('used', 'refunded')),
            arg_max(municipality, occurred_at)
        ) AS municipality,
        arg_max(category, occurred_at) AS category,
        arg_max(service, occurred_at) AS service,
        arg_max(person_id, occurred_at) AS person_id,
        arg_max(
            event,
            epoch_us(occurred_at) * 4 + CASE event WHEN 'applied' THEN 0 WHEN 'issued' THEN 1 WHEN 'refused' THEN 2 ELSE 3 END
        ) FILTER (event NOT IN ('used', 'refunded')) AS last_event,
        min(occurred_on) AS first_on,
        min(occurred_on) FILTER (event = 'applied') AS applied_on,
        min(occurred_on) FILTER (event = 'issued') AS issued_on,
        max(occurred_on) FILTER (event = 'refused') AS refused_on,
        max(occurred_on) FILTER (event = 'expired') AS expired_on,
        max(amount) FILTER (event = 'issued') AS nominal_amount,
        sum(amount) FILTER (event = 'used') AS paid_amount,
        sum(amount) FILTER (event = 'refunded') AS refunded_amount,
        count(*) FILTER (event = 'used') AS n_uses,
        count(*) FILTER (event = 'refunded') AS n_refunds,
        max(occurred_on) FILTER (event = 'used') AS last_used_on
    FROM certificates
    WHERE kind = 'electronic_certificate'
    GROUP BY certificate_id
)

-- Money can be spent from an issued certificate only; the day of issue stays unknown until the register tells it.
SELECT
    certificate_id,
    left(municipality, 2) || '000000' AS region,
    municipality,
    category,
    service,
    person_id,
    CASE
        WHEN n_uses > 0 AND coalesce(last_event, 'applied') = 'applied' THEN 'issued'
        ELSE last_event
    END AS state,
    coalesce(applied_on, first_on) AS applied_on,
    issued_on,
    refused_on,
    expired_on,
    nominal_amount,
    -- What was given back is not spent.
    paid_amount - coalesce(refunded_amount, 0) AS spent_amount,
    refunded_amount,
    n_uses,
    n_refunds,
    last_used_on
FROM folded
