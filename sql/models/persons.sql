-- One row per person.
WITH
-- Every register that knows persons, in one shape.
told AS (
    SELECT person_id, occurred_at, occurred_on, region, municipality, category, 'case' AS kind, case_id AS thing FROM cases
    UNION ALL
    SELECT person_id, occurred_at, occurred_on, region, municipality, category, 'passport', passport_id FROM passports
    UNION ALL
    SELECT person_id, occurred_at, occurred_on, region, municipality, NULL, 'return', return_id FROM returns
    UNION ALL
    SELECT person_id, occurred_at, occurred_on, region, municipality, NULL, 'leave', leave_id FROM leaves
    UNION ALL
    SELECT person_id, occurred_at, occurred_on, region, municipality, NULL, 'debt', debt_id FROM debts
),

-- Of words of one moment the later code counts, so that the order in which they came does not matter.
folded AS (
    SELECT
        person_id,
        arg_max(region, (occurred_at, region)) AS region,
        arg_max(municipality, (occurred_at, municipality)) AS municipality,
        arg_max(category, (occurred_at, category)) FILTER (category IS NOT NULL) AS category,
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
    *,
    CASE
        WHEN n_returns > 0 THEN 'returned'
        WHEN n_leaves > 0 THEN 'on_leave'
        WHEN n_passports > 0 THEN 'passport'
        WHEN n_cases > 0 THEN 'applicant'
        ELSE 'debtor'
    END AS status
FROM folded
