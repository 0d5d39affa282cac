"""The texts that aging.py asks in: each has gaps in braces for what is wanted, and names parameters."""

# What is open as known now, part by part: what is open today, and what was changed later taken back. A part
# comes more than once; `items` says how many of them it makes open. `future` is what is to come off it.
NOW = """
    SELECT i.customer, i.invoice, i.entity, i.currency, i.document_date, i.due_date, i.amount, i.items,
        0::bigint AS future
    FROM open_parts i WHERE i.items <> 0 {wanted}
    UNION ALL
    SELECT i.customer, i.invoice, i.entity, i.currency, i.document_date, i.due_date, -i.amount, -i.items,
        -i.amount
    FROM changes i WHERE i.on_date > :as_of {wanted}"""
PARTS_NOW = """
parts AS (
    SELECT customer, invoice AS document, entity, currency, document_date, due_date,
        sum(amount)::bigint AS amount, sum(future)::bigint AS future, false AS is_payment
    FROM ({now}) x
    GROUP BY due_date, customer, invoice, entity, currency, document_date HAVING sum(items) <> 0
    {credits}
)"""

# The same for the first of them in an order that an index has: what is open now is looked at one by one,
# beside what was settled since. Each of the two gives no more than all that is shown.
FIRST_PARTS_NOW = """
parts AS (
    (SELECT * FROM (
        SELECT i.customer, i.invoice AS document, i.entity, i.currency, i.document_date, i.due_date,
            i.amount - later.amount AS amount, -later.amount AS future, false AS is_payment
        FROM open_parts i, LATERAL (
            SELECT coalesce(sum(c.amount), 0)::bigint AS amount FROM changes c
            WHERE c.customer = i.customer AND c.invoice = i.invoice AND c.due_date = i.due_date
                AND c.on_date > :as_of) later
        WHERE i.items <> 0 AND i.amount <> later.amount {wanted}
    ) x WHERE true {part} ORDER BY {order} LIMIT CAST(:limit AS bigint) + CAST(:offset AS bigint))
    UNION ALL
    (SELECT * FROM (
        SELECT i.customer, i.invoice AS document, i.entity, i.currency, i.document_date, i.due_date,
            -sum(i.amount)::bigint AS amount, -sum(i.amount)::bigint AS future, false AS is_payment
        FROM changes i WHERE i.on_date > :as_of {wanted} AND NOT EXISTS (
            SELECT FROM open_parts o WHERE o.customer = i.customer AND o.invoice = i.invoice
                AND o.due_date = i.due_date AND o.items <> 0)
        GROUP BY i.due_date, i.customer, i.invoice, i.entity, i.currency, i.document_date
        HAVING sum(i.amount) <> 0
    ) x WHERE true {part} ORDER BY {order} LIMIT CAST(:limit AS bigint) + CAST(:offset AS bigint))
)"""

# The same as known then. The parts of an item are paid in order of date, see domain/days.py: `open_parts`.
PARTS_THEN = """
moved AS (
    SELECT customer, invoice, (sum(amount) FILTER (WHERE effective_date <= :as_of))::bigint AS amount,
        (sum(amount) FILTER (WHERE effective_date > :as_of))::bigint AS future
    FROM movements WHERE recorded_at <= :known_at {of_customer} GROUP BY customer, invoice
), standing AS (
    SELECT i.customer, i.invoice, i.entity, i.currency, i.document_date, i.due_date, i.total, i.instalments,
        i.total - coalesce(m.amount, 0) AS open, coalesce(m.future, 0) AS future
    FROM items i LEFT JOIN moved m USING (customer, invoice)
    WHERE i.opened_at <= :known_at AND i.document_date <= :as_of {wanted}
),
parts AS (
    SELECT customer, invoice AS document, entity, currency, document_date, due_date, open AS amount, future,
        false AS is_payment
    FROM standing WHERE instalments = '[]' AND open <> 0
    UNION ALL
    SELECT customer, invoice, entity, currency, document_date, p.due_date, p.amount - {paid},
        {paid_later} - {paid}, false
    FROM standing, LATERAL (
        SELECT (x ->> 0)::date AS due_date, (x ->> 1)::bigint AS amount, part, count(*) OVER () AS parts,
            (sum((x ->> 1)::bigint) OVER (ORDER BY part) - (x ->> 1)::bigint)::bigint AS before
        FROM jsonb_array_elements(instalments) WITH ORDINALITY AS y(x, part)
    ) p
    WHERE instalments <> '[]' AND open <> 0 AND p.amount <> {paid}
    {credits}
)"""
# What was known then adds up to what is known now, but for the items of which something became known since:
# these are taken out as they are, and put in as they were.
TOUCHED = """
touched AS MATERIALIZED (
    SELECT customer, invoice FROM movements WHERE recorded_at > :known_at
    UNION SELECT customer, invoice FROM items WHERE opened_at > :known_at
)"""
IS_TOUCHED = "AND ({i}customer, {i}invoice) IN (SELECT customer, invoice FROM touched)"
OUT = "SELECT customer, currency, {day} AS day, -amount AS amount, (-items)::integer AS items FROM ({now}) n"
IN = "SELECT customer, currency, {day} AS day, amount, 1 AS items FROM parts"

PAID = """(CASE WHEN parts = 1 THEN {taken}
    WHEN part = 1 THEN least({taken}, p.amount)
    WHEN part = parts THEN greatest({taken} - p.before, 0)
    ELSE least(greatest({taken} - p.before, 0), p.amount) END)"""
FIFO = {
    "paid": PAID.format(taken="total - open"),
    "paid_later": PAID.format(taken="total - open + future"),
}

# What is left over of payments counts as owed the other way round, from the payment's date on.
LEFT_OVER = """
    SELECT p.customer, p.payment AS document, p.entity, p.currency, p.payment_date AS document_date,
        p.payment_date AS due_date, -c.amount AS amount, 0::bigint AS future, true AS is_payment
    FROM (
        SELECT i.customer, i.payment, sum(i.amount)::bigint AS amount FROM credits i
        WHERE i.effective_date <= :as_of {wanted} GROUP BY i.customer, i.payment
    ) c JOIN payments p USING (customer, payment)
    WHERE c.amount <> 0"""

ABOUT = "AND i.customer IN (SELECT v.customer FROM customers v WHERE {about})"
ABOUT_THEN = """AND i.customer IN (
    SELECT v.customer FROM (
        SELECT DISTINCT ON (customer) * FROM customer_versions WHERE recorded_at <= :customers_at
        ORDER BY customer, recorded_at DESC, fact DESC
    ) v WHERE {about})"""
NAMES = """
    SELECT DISTINCT ON (customer) customer, name FROM customer_versions
    WHERE customer = ANY(:customers) {then} ORDER BY customer, recorded_at DESC, fact DESC"""
STRETCH = """
    SELECT NULL AS customer, i.currency, i.day, {sign} * i.amount AS amount, {sign} * i.items AS items
    FROM days i
    WHERE basis = :basis AND level = '{level}' AND start >= :{level}_first AND start < :{level}_end
        {wanted}"""
# What stands beside as known now: by date; or of some customers, what accounts have, less what is later.
BESIDE_ALL = """
    SELECT i.currency, coalesce(sum(left_over) FILTER (WHERE day <= :as_of), 0)::bigint,
        coalesce(sum(in_process) FILTER (WHERE day <= :as_of), 0)::bigint,
        coalesce(sum(left_over) FILTER (WHERE day > :as_of), 0)::bigint
    FROM turnover i WHERE true {wanted} GROUP BY i.currency"""
BESIDE_NOW = """
    SELECT i.currency, sum(unapplied)::bigint, sum(in_process)::bigint, sum(future)::bigint FROM (
        SELECT i.currency, i.unapplied, i.in_process, 0::bigint AS future FROM customer_accounts i
        WHERE (i.unapplied <> 0 OR i.in_process <> 0) {wanted}
        UNION ALL
        SELECT i.currency, -i.amount, -i.in_process, i.amount FROM credits i
        WHERE i.effective_date > :as_of {wanted}
    ) i GROUP BY i.currency"""
# What of it was not known then.
BESIDE_SINCE = """
    SELECT i.currency, coalesce(-sum(amount) FILTER (WHERE effective_date <= :as_of), 0)::bigint,
        coalesce(-sum(in_process) FILTER (WHERE effective_date <= :as_of), 0)::bigint,
        coalesce(-sum(amount) FILTER (WHERE effective_date > :as_of), 0)::bigint
    FROM credits i WHERE i.recorded_at > :known_at {wanted} GROUP BY i.currency"""

# What is open by customer, each source with how many items it makes open, so that who owes nothing any more
# can be left out: part by part; and without a date from accounts, years, months, and the days of a month.
# Items are counted as integer: a sum of bigint is a numeric, which costs a sixth of the whole.
BY_PART = """
    SELECT customer, currency, {day} AS day, amount, ({items})::integer AS items
    FROM ({now}) n WHERE true {of_bucket}"""
MONTHS = """
    SELECT i.customer, i.currency, NULL::date AS day, {sign} * i.amount AS amount,
        {sign} * i.items::integer AS items
    FROM customer_months i
    WHERE i.level = '{level}' AND i.start >= :{level}_first AND i.start < :{level}_end {wanted}"""
ACCOUNTS = """
    SELECT i.customer, i.currency, NULL::date AS day, i.outstanding AS amount, i.items::integer
    FROM customer_accounts i WHERE i.items <> 0 {wanted}"""
DAYS = """
    SELECT i.customer, i.currency, NULL::date AS day, {sign} * i.amount AS amount,
        {sign} * i.items::integer AS items
    FROM changes i WHERE i.on_date >= :day_first AND i.on_date < :day_end {wanted}"""
LEFT_BY_PAYMENT = """
    SELECT customer, currency, due_date AS day, amount, 1 AS items
    FROM ({left_over}) l"""
SHOWN = "SELECT customer, shown_in AS currency, {day} AS day, shown AS amount, 1 AS items FROM based"

BY_CUSTOMER = """
    SELECT customer, currency, {sums}, count(*) OVER () FROM ({sources}) s
    GROUP BY customer, currency HAVING sum(items) > 0
    ORDER BY {order}, currency LIMIT CAST(:limit AS bigint) OFFSET :offset"""
TOTALS = "SELECT shown_in, {bucket}, sum(shown)::bigint, count(*) FROM based GROUP BY 1, 2"
TOTALS_OF = """
    SELECT currency, {bucket}, sum(amount)::bigint, sum(items)::bigint FROM ({sources}) s GROUP BY 1, 2"""
ITEMS = """
SELECT b.customer, b.document, b.entity, b.shown_in, b.document_date, b.due_date, b.shown,
    coalesce(i.kind, p.kind), coalesce(i.number, p.number), coalesce(i.reference, p.reference),
    CASE WHEN is_payment THEN -p.amount WHEN i.instalments = '[]' THEN i.total ELSE (
        SELECT sum((x ->> 1)::bigint)::bigint FROM jsonb_array_elements(i.instalments) x
        WHERE (x ->> 0)::date = b.due_date) END, b.future
FROM (SELECT * FROM based WHERE true {part} ORDER BY {order} LIMIT CAST(:limit AS bigint) OFFSET :offset) b
LEFT JOIN items i ON NOT is_payment AND i.customer = b.customer AND i.invoice = b.document
LEFT JOIN payments p ON is_payment AND p.customer = b.customer AND p.payment = b.document
ORDER BY {order}"""

CONVERTED = """
rated AS (
    SELECT parts.*, coalesce(i.rate, p.rate) AS rate, coalesce(e.base_currency, parts.currency) AS shown_in
    FROM parts LEFT JOIN entities e ON e.entity = parts.entity
    LEFT JOIN items i ON NOT is_payment AND i.customer = parts.customer AND i.invoice = document
    LEFT JOIN payments p ON is_payment AND p.customer = parts.customer AND p.payment = document
), based AS (
    SELECT *, CASE WHEN shown_in = currency THEN amount ELSE round(
        amount * rate::numeric * 10.0 ^ ((CAST(:exponents AS jsonb) ->> shown_in)::int
        - (CAST(:exponents AS jsonb) ->> currency)::int))::bigint END AS shown
    FROM rated
)"""
PLAIN = "based AS (SELECT parts.*, currency AS shown_in, amount AS shown FROM parts)"
