-- One row per use of a virtual social card.
--
-- A use is told by one event and each event comes once, so nothing is folded. The category is that of the use itself: to
-- look it up in the card would make every change of a card touch all months in which it was ever used.
SELECT
    certificates.certificate_id,
    certificates.use_id,
    certificates.certificate_id AS card_id,
    certificates.occurred_on AS used_on,
    -- Day of the week and hour by the clocks of the region: when institutions are visited. The day is the local one already.
    CAST(isodow(certificates.occurred_on) AS VARCHAR) AS weekday,
    lpad(CAST((epoch_us(certificates.occurred_at) // 3600000000 + CAST(regions.utc_offset_hours AS BIGINT)) % 24 AS VARCHAR), 2, '0') AS hour,
    left(municipality, 2) || '000000' AS region,
    municipality,
    category,
    partner_kind,
    partner_id,
    ownership,
    discount_percent,
    amount,
    person_id
FROM certificates
LEFT JOIN regions ON regions.code = certificates.region
WHERE kind = 'virtual_card'
    AND event = 'used'
    AND use_id IS NOT NULL
