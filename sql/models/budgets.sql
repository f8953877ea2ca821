-- One row per source of money and month.
WITH
folded AS (
    SELECT
        project,
        source,
        period,
        arg_max(region, occurred_at) AS region,
        arg_max(amount, occurred_at) FILTER (event = 'planned') AS plan,
        arg_max(amount, occurred_at) FILTER (event = 'spent') AS spent,
        -- On one moment the money that is there wins over the word that there is none.
        arg_max(event, epoch_us(occurred_at) * 2 + (event <> 'not_provided')::BIGINT) AS last_event
    FROM budgets
    GROUP BY project, source, period
)

-- No separate money is a statement: plan and expense are nothing, and the row says why.
SELECT
    project,
    source,
    period AS month_on,
    region,
    CASE WHEN last_event = 'not_provided' THEN 'not_provided' ELSE 'provided' END AS funding,
    CASE WHEN last_event = 'not_provided' THEN 0 ELSE plan END AS plan,
    CASE WHEN last_event = 'not_provided' THEN 0 ELSE spent END AS spent
FROM folded
