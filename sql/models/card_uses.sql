-- One row per use of a virtual social card.
--
-- A use is told by one event and each event comes once, so nothing is folded. The category is that of the use itself: to
-- look it up in the card would make every change of a card touch all months in which it was ever used.
SELECT
    certificate_id,
    use_id,
    certificate_id AS card_id,
    occurred_on AS used_on,
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
WHERE kind = 'virtual_card'
    AND event = 'used'
    AND use_id IS NOT NULL
