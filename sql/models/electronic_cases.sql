-- One row per electronic case.
WITH
-- What all events of a case say together; of several invitations the last one counts.
folded AS (
    SELECT
        case_id,
        arg_max(region, occurred_at) AS region,
        arg_max(municipality, occurred_at) AS municipality,
        arg_max(service, occurred_at) AS service,
        arg_max(is_signed, occurred_at) AS is_signed,
        arg_max(person_id, occurred_at) AS person_id,
        arg_max(appointment_on, occurred_at) FILTER (event = 'invited') AS appointment_on,
        min(occurred_on) AS first_on,
        min(occurred_on) FILTER (event = 'filed') AS filed_on,
        max(occurred_on) FILTER (event = 'invited') AS invited_on,
        max(occurred_on) FILTER (event = 'received') AS received_on,
        max(occurred_on) FILTER (event = 'archived') AS archived_on
    FROM electronic_cases
    GROUP BY case_id
)

-- A case whose filing is not known yet counts from its first known event.
SELECT
    case_id,
    region,
    municipality,
    service,
    is_signed,
    person_id,
    CASE
        WHEN archived_on IS NOT NULL THEN 'archived'
        WHEN received_on IS NOT NULL THEN 'received'
        WHEN invited_on IS NOT NULL THEN 'invited'
        ELSE 'filed'
    END AS state,
    coalesce(filed_on, first_on) AS filed_on,
    invited_on,
    appointment_on,
    -- The case waits for the applicant so long; who comes on this day still comes in time.
    appointment_on + 30 AS kept_until,
    received_on,
    archived_on
FROM folded
