-- Every number of the report as SQL over the catalog.  Statements whose name ends in "_" become tables, made once in this
-- order; the others are queries over them.  {fields} are filled in by figures.py; {met} stands for the two counts below.
--
-- `span` is "now" for the days of the report and "before" for as many days just before them, else NULL.  `week` counts
-- back from the last day of the report: 0 is its last seven days.  A contested call, and one that could not be scored,
-- counts for no item and no criterion.  Columns of `about` are the parameters of the report.

-- Tables, made once: the views of the catalog read Parquet anew for every query.
-- name: calls_
SELECT c.call_id, c.date AS day, coalesce(c.queue, '') AS queue, c.topic,
    coalesce(c.topic_sensitive, true) AS is_sensitive, c.direction, c.caller_ref, c.started_at, c.wait_s,
    c.scorable AS is_scorable, c.compliance_status, s.state,
    concat_ws(' ', c.scorecard_version, c.scoring_fingerprint, c.pipeline_fingerprint) AS rules,
    CASE WHEN c.date BETWEEN first_day AND last_day THEN 'now'
        WHEN c.date BETWEEN before_day AND first_day - 1 THEN 'before' END AS span,
    floor((last_day - c.date) / 7)::INTEGER AS week,
    c.topic = '{status}' OR len(list_filter(c.topics, lambda t: t.topic = '{status}')) > 0 AS is_status
FROM calls c JOIN call_states s USING (call_id), about
WHERE c.date <= today

-- name: items_
SELECT i.item, i.final_status AS status, c.*
FROM items i JOIN calls_ c USING (call_id) WHERE c.is_scorable AND c.state <> 'contested'

-- name: criteria_
SELECT r.criterion, r.final_status AS status, r.state AS criterion_state, r.human_status, c.*
FROM reviewed_criteria r JOIN calls_ c USING (call_id)
WHERE c.is_scorable AND c.state <> 'contested'

-- name: holds_
SELECT call_id, count(*) AS holds FROM events WHERE type = 'hold' GROUP BY call_id

-- name: transfers_
SELECT call_id, count(*) AS transfers FROM events WHERE type = 'transfer' GROUP BY call_id

-- A later call of the same caller about the same matter shows what became of a promise: the municipality called, or
-- the citizen says that it was not kept.  A promise that was not due yet can't have been broken.
-- name: promises_
WITH told AS (
    SELECT caller_ref, topic, started_at FROM criteria_
    WHERE criterion = 'promise_broken_reported' AND status = 'met' AND direction IS DISTINCT FROM 'outbound'
), made AS (
    SELECT r.call_id, r.promise_index, r.start_ms, r.final_type AS type, r."by", r.deadline_text,
        r.final_due_at AS due_at, r.quote, r.answer, r.registered, r.kept, c.* EXCLUDE call_id
    FROM register r JOIN calls_ c USING (call_id), about
    WHERE NOT r.is_rejected AND (c.span = 'now' OR (r.final_due_at >= first_day AND c.day < first_day))
), later AS (
    SELECT m.*,
        (SELECT min(l.started_at) FROM calls_ l WHERE l.direction = 'outbound' AND m.type = 'callback'
            AND l.caller_ref = m.caller_ref AND l.started_at > m.started_at
            AND (l.topic IN (m.topic, 'onbekend', '{status}'))) AS called_at,
        (SELECT min(t.started_at) FROM told t WHERE t.caller_ref = m.caller_ref
            AND t.started_at > m.started_at AND (m.due_at IS NULL OR m.due_at <= t.started_at)
            AND (t.topic IN (m.topic, 'onbekend', '{status}') OR m.topic = 'onbekend')) AS told_at
    FROM made m
)
SELECT l.*,
    CASE WHEN kept THEN 'kept' WHEN kept = false THEN 'broken'
        WHEN called_at <= coalesce(due_at, called_at) AND called_at <= coalesce(told_at, called_at) THEN 'kept'
        WHEN told_at IS NOT NULL THEN 'broken'
        WHEN called_at IS NOT NULL THEN 'late'
        WHEN due_at IS NULL THEN 'vague'
        WHEN due_at::DATE = today THEN 'today'
        WHEN due_at::DATE < today THEN 'overdue'
        ELSE 'open' END AS fate,
    (SELECT number FROM working_days WHERE day = due_at::DATE)
        - (SELECT number FROM working_days w WHERE w.day = l.day) AS within,
    (SELECT number FROM working_days WHERE day = today)
        - (SELECT number FROM working_days WHERE day = due_at::DATE) AS overdue_by
FROM later l, about

-- A hand-over: another voice took the agent's side, or it was announced.
-- name: handovers_
SELECT c.*,
    CASE WHEN EXISTS (SELECT 1 FROM repeat_calls r WHERE r.previous_call_id = c.call_id)
            OR EXISTS (SELECT 1 FROM register p WHERE p.call_id = c.call_id AND p.final_type = 'callback'
                AND NOT p.is_rejected) THEN 'failed'
        WHEN a.status = 'met' AND w.status = 'met' THEN 'warm' ELSE 'cold' END AS kind
FROM calls_ c LEFT JOIN transfers_ t USING (call_id)
    LEFT JOIN criteria_ a ON a.call_id = c.call_id AND a.criterion = 'transfer_announcement'
    LEFT JOIN criteria_ w ON w.call_id = c.call_id AND w.criterion = 'warm_handover'
WHERE c.span = 'now' AND (t.transfers > 0 OR a.status = 'met')

-- name: counts
SELECT count(*) AS calls, count(*) FILTER (is_scorable) AS scorable,
    count(*) FILTER (is_scorable AND state = 'reviewed') AS reviewed,
    count(*) FILTER (is_scorable AND state = 'contested') AS contested
FROM calls_ WHERE span = 'now'

-- name: counts_before
SELECT count(*) AS calls FROM calls_ WHERE span = 'before'

-- name: failures
SELECT count(*) AS n FROM failures, about WHERE failed_at::DATE BETWEEN first_day AND last_day

-- name: items
SELECT item, span, {met}, count(*) FILTER (status = 'not_applicable') AS na,
    count(*) FILTER (status = 'uncertain') AS unsure,
    count(*) FILTER (state = 'reviewed' AND status IN ('met', 'not_met')) AS reviewed,
    count(*) FILTER (state = 'reviewed' AND status = 'met') AS reviewed_hits
FROM items_ WHERE span IS NOT NULL GROUP BY ALL

-- name: item_weeks
SELECT item, week, {met} FROM items_ WHERE week BETWEEN 0 AND 25 GROUP BY ALL ORDER BY ALL

-- name: rules
SELECT week, span, list_sort(list(DISTINCT rules)) AS rules FROM calls_
WHERE is_scorable AND week BETWEEN 0 AND 25 GROUP BY ALL ORDER BY week DESC

-- name: gauged
SELECT criterion FROM gates
QUALIFY row_number() OVER (PARTITION BY criterion ORDER BY made_at DESC, id DESC) = 1 AND live

-- name: parts
SELECT i.item, c.criterion AS part, i.span,
    count(*) FILTER (c.status = 'not_met') AS misses, count(*) AS n
FROM items_ i JOIN criteria_ c USING (call_id)
WHERE i.span IS NOT NULL AND i.status IN ('met', 'not_met') GROUP BY ALL

-- name: groups
SELECT item, kind, name, span, {met} FROM (
    SELECT item, status, span, 'queue' AS kind, queue AS name FROM items_ WHERE span IS NOT NULL
    UNION ALL SELECT item, status, span, 'topic', topic FROM items_ WHERE span IS NOT NULL
) GROUP BY ALL

-- name: compliance
SELECT criterion, {met}, count(*) FILTER (status = 'not_applicable') AS na,
    count(*) FILTER (status = 'uncertain') AS unsure
FROM criteria_ WHERE span = 'now' GROUP BY criterion

-- Good and bad moments; of undesired behaviour the bad one is where it was found.
-- name: moments
SELECT r.criterion, r.call_id, r.final_status = 'met' AS is_good, r.state = 'reviewed' AS is_reviewed,
    c.topic, k.e.start_ms, k.e.quote, t.text,
    coalesce(list_avg(list_transform(t.words, lambda w: w.confidence)), 1.0) AS confidence
FROM (SELECT call_id, criterion, unnest(evidence, max_depth := 1) AS e FROM criteria) k
    JOIN reviewed_criteria r USING (call_id, criterion) JOIN calls_ c USING (call_id)
    LEFT JOIN turns t ON t.call_id = k.call_id AND t.turn_index = k.e.turn_index
WHERE c.span = 'now' AND c.is_scorable AND NOT c.is_sensitive AND c.state <> 'contested'
    AND r.state <> 'contested' AND r.final_status IN ('met', 'not_met') AND k.e.quote <> ''

-- name: vague_callbacks
SELECT 'callback.when' AS criterion, p.call_id, false AS is_good,
    p.answer IN ('confirmed', 'corrected') AS is_reviewed, p.topic, p.start_ms, p.quote, t.text,
    coalesce(list_avg(list_transform(t.words, lambda w: w.confidence)), 1.0) AS confidence
FROM promises_ p
    LEFT JOIN turns t ON t.call_id = p.call_id AND p.start_ms >= t.start_ms AND p.start_ms < t.end_ms
        AND t.role = 'agent'
WHERE p.span = 'now' AND p.is_scorable AND p.type = 'callback' AND p.due_at IS NULL AND NOT p.is_sensitive
    AND p.state <> 'contested' AND p.deadline_text <> '' AND p.quote <> ''

-- name: promises
SELECT call_id, day, queue, topic, type, "by", deadline_text, due_at, coalesce(quote, '') AS quote, start_ms, fate,
    CASE WHEN fate = 'overdue' THEN overdue_by END AS overdue_by, registered, is_sensitive
FROM promises_ ORDER BY due_at NULLS LAST, day, call_id, start_ms

-- name: fates
SELECT fate, count(*) AS n FROM promises_ GROUP BY fate

-- name: promise_counts
SELECT count(*) AS promises, count(DISTINCT call_id) AS calls, count(*) FILTER (registered = false) AS absent,
    count(*) FILTER (registered IS NOT NULL) AS asked,
    count(*) FILTER (fate IN ('kept', 'late')) AS kept,
    count(*) FILTER (fate = 'kept') AS in_time,
    count(*) FILTER (fate IN ('kept', 'late', 'broken')) AS known,
    count(*) FILTER (answer IS NOT NULL) AS judged,
    count(*) FILTER (due_at IS NOT NULL) AS dated
FROM promises_

-- name: repeats
SELECT kind, name, count(*) FILTER (is_repeat) AS hits, count(*) AS n FROM (
    SELECT c.*, r.call_id IS NOT NULL AS is_repeat, unnest(['all', 'topic', 'queue']) AS kind,
        unnest(['', c.topic, c.queue]) AS name
    FROM calls_ c LEFT JOIN repeat_calls r USING (call_id)
    WHERE c.span = 'now' AND c.direction IS DISTINCT FROM 'outbound' AND c.caller_ref IS NOT NULL
        AND c.started_at IS NOT NULL AND c.topic <> 'onbekend'
) GROUP BY ALL ORDER BY ALL

-- name: after_promise
SELECT count(*) FILTER (r.promise_before > 0) AS hits, count(*) AS n
FROM repeat_calls r JOIN calls_ c USING (call_id) WHERE c.span = 'now'

-- name: told_broken
SELECT {met} FROM criteria_
WHERE span = 'now' AND criterion = 'promise_broken_reported' AND direction IS DISTINCT FROM 'outbound'

-- name: status_calls
SELECT count(*) FILTER (is_status) AS hits, count(*) AS n FROM calls_
WHERE span = 'now' AND direction IS DISTINCT FROM 'outbound'

-- name: handovers
SELECT topic, queue, kind, count(*) AS n FROM handovers_ GROUP BY ALL ORDER BY ALL

-- name: gaps
SELECT topic, kind, count(*) FILTER (is_found) AS hits, count(*) AS n FROM (
    SELECT topic, criterion AS kind, status = 'not_met' AS is_found FROM criteria_
    WHERE span = 'now' AND criterion IN ('unexplained_jargon', 'hedging', 'dead_air')
        AND status IN ('met', 'not_met')
    UNION ALL SELECT c.topic, 'hold', h.call_id IS NOT NULL FROM calls_ c LEFT JOIN holds_ h USING (call_id)
    WHERE c.span = 'now' AND c.is_scorable
) GROUP BY ALL ORDER BY ALL

-- name: jargon
SELECT lower(e.quote) AS word, min(e.alternative) AS plain, count(DISTINCT call_id) AS calls
FROM (SELECT call_id, unnest(evidence, max_depth := 1) AS e FROM criteria
    WHERE criterion = 'unexplained_jargon' AND status = 'not_met')
    JOIN criteria_ c USING (call_id)
WHERE c.span = 'now' AND c.criterion = 'unexplained_jargon' AND c.status = 'not_met' AND e.quote <> ''
GROUP BY word HAVING count(DISTINCT call_id) >= {smallest} ORDER BY calls DESC, word LIMIT 8

-- Each action with as many days before it as after it, four weeks at most.
-- name: plan
WITH lines AS (
    SELECT p.*, least(28, last_day - p.starts_on + 1)::INTEGER AS days FROM plan_actions p, about
)
SELECT l.id, l.action, l.hypothesis, l.item, l.starts_on, l.made_at, l.closed_at, l.conclusion, l.days,
    i.part, {met}, list_sort(list(DISTINCT rules) FILTER (rules IS NOT NULL)) AS rules
FROM lines l LEFT JOIN (
    SELECT l.id, CASE WHEN i.day >= l.starts_on THEN 'after' ELSE 'before' END AS part, i.status, i.rules
    FROM lines l JOIN items_ i ON i.item = l.item
        AND i.day BETWEEN l.starts_on - l.days AND l.starts_on + l.days - 1
) i USING (id)
GROUP BY ALL ORDER BY l.starts_on DESC, l.id DESC

-- name: waits
SELECT span, count(*) FILTER (wait_s <= {answer_s}) AS hits, count(*) AS n FROM calls_
WHERE span IS NOT NULL AND wait_s IS NOT NULL AND direction IS DISTINCT FROM 'outbound' GROUP BY span

-- name: few_transfers
SELECT span, count(*) FILTER (coalesce(transfers, 0) <= {transfers}) AS hits, count(*) AS n
FROM calls_ LEFT JOIN transfers_ USING (call_id)
WHERE span IS NOT NULL AND is_scorable AND direction IS DISTINCT FROM 'outbound' GROUP BY span

-- name: handled
SELECT span, count(*) FILTER (transfers IS NULL AND NOT EXISTS (SELECT 1 FROM register p
    WHERE p.call_id = c.call_id AND p.final_type = 'callback' AND NOT p.is_rejected)) AS hits, count(*) AS n
FROM calls_ c LEFT JOIN transfers_ USING (call_id)
WHERE span IS NOT NULL AND is_scorable AND direction IS DISTINCT FROM 'outbound' GROUP BY span

-- name: soon
SELECT 'now' AS span, count(*) FILTER (within <= {callback_working_days}) AS hits, count(*) AS n
FROM promises_ WHERE span = 'now' AND type = 'callback' AND due_at IS NOT NULL
