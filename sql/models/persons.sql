-- One row per person.
WITH
-- The event that begins a record in each register that knows persons, in one shape; the events after it tell of nobody else.
told AS (
    SELECT person_id, occurred_at, occurred_on, recorded_at, municipality, category, 'case' AS kind, case_id AS thing
    FROM cases
    WHERE event = 'registered'
    UNION ALL
    SELECT person_id, occurred_at, occurred_on, recorded_at, municipality, category, 'passport', passport_id
    FROM passports
    WHERE event = 'opened'
    UNION ALL
    SELECT person_id, occurred_at, occurred_on, recorded_at, municipality, NULL, 'return', return_id
    FROM returns
    WHERE event = 'filed'
    UNION ALL
    SELECT person_id, occurred_at, occurred_on, recorded_at, municipality, NULL, 'leave', leave_id
    FROM leaves
    WHERE event = 'recorded'
    UNION ALL
    SELECT person_id, occurred_at, occurred_on, recorded_at, municipality, NULL, 'debt', debt_id
    FROM debts
    WHERE event = 'recorded'
),

-- Of words of one moment the later recorded one counts, then the later code, so that the order in which they came does not matter.
folded AS (
    SELECT
        person_id,
        arg_max(municipality, (occurred_at, recorded_at, municipality)) AS municipality,
        arg_max(category, (occurred_at, recorded_at, category)) FILTER (category IS NOT NULL) AS category,
        min(occurred_on) AS first_on,
        max(occurred_on) AS last_on,
        count(DISTINCT thing) FILTER (kind = 'case') AS n_cases,
        count(DISTINCT thing) FILTER (kind = 'passport') AS n_passports,
        count(DISTINCT thing) FILTER (kind = 'return') AS n_returns,
        count(DISTINCT thing) FILTER (kind = 'leave') AS n_leaves,
        count(DISTINCT thing) FILTER (kind = 'debt') AS n_debts
    FROM told
    GROUP BY person_id
)

SELECT
    person_id,
    left(municipality, 2) || '000000' AS region,
    municipality,
    category,
    CASE
        WHEN n_returns > 0 THEN 'returned'
        WHEN n_leaves > 0 THEN 'on_leave'
        WHEN n_passports > 0 THEN 'passport'
        WHEN n_cases > 0 THEN 'applicant'
        ELSE 'debtor'
    END AS status,
    first_on,
    last_on,
    n_cases,
    n_passports,
    n_returns,
    n_leaves,
    n_debts
FROM folded
