-- Every number of the report, asked in plain SQL of the Parquet files and of the tables of the review store; none of
-- it is the report's own.  First what the queries share, then a query a family of numbers, each giving key, value and
-- kind; where a prefix follows the name, it gives k, h (hits) and n of rates, whose keys begin with that prefix.

CREATE MACRO low(h, n) AS CASE WHEN n > 0 THEN greatest(0, (h/n + 1.959964**2/(2*n) - 1.959964
    * sqrt(h/n*(1-h/n)/n + 1.959964**2/(4*n*n))) / (1 + 1.959964**2/n)) END;
CREATE MACRO high(h, n) AS CASE WHEN n > 0 THEN least(1, (h/n + 1.959964**2/(2*n) + 1.959964
    * sqrt(h/n*(1-h/n)/n + 1.959964**2/(4*n*n))) / (1 + 1.959964**2/n)) END;
CREATE MACRO change_low(h, n, g, m) AS
    h/n - g/m - sqrt((h/n - low(h, n))**2 + (high(g, m) - g/m)**2);
CREATE MACRO change_high(h, n, g, m) AS
    h/n - g/m + sqrt((high(h, n) - h/n)**2 + (g/m - low(g, m))**2);
CREATE TABLE contested AS SELECT DISTINCT call_id FROM contests WHERE settled_at IS NULL;
CREATE TABLE done AS SELECT call_id, arg_max(items, id) AS items FROM finished GROUP BY call_id;
CREATE TABLE good AS  -- calls that count
    SELECT * EXCLUDE (queue), coalesce(queue, '') AS queue FROM calls
    WHERE scorable AND call_id NOT IN (FROM contested);
CREATE TABLE item AS
    SELECT call_id, date, queue, topic, name[6:] AS item, done.call_id IS NOT NULL AS is_reviewed,
        coalesce(json_extract_string(items, '$.' || name[6:]), value) AS s
    FROM (UNPIVOT good ON COLUMNS('^item_') INTO NAME name VALUE value) LEFT JOIN done USING (call_id);
CREATE TABLE crit AS
    SELECT call_id, date, queue, topic, direction, caller_ref, started_at, criterion,
        coalesce(nullif(answer, 'unclear'), status) AS s
    FROM (SELECT call_id, criterion, status FROM criteria) JOIN good USING (call_id)
    LEFT JOIN (SELECT call_id, criterion, arg_max(answer, id) AS answer FROM judgements WHERE how <> 'blind'
        GROUP BY ALL) USING (call_id, criterion);
CREATE TABLE promised AS
    WITH said AS (
        SELECT call_id, start_ms, arg_max(struct_pack(answer, due := due_at, registered, kept), id) AS a
        FROM promise_judgements GROUP BY ALL
    )
    SELECT p.call_id, p.promise_index, p.start_ms, p.type, p."by", p.deadline_text, p.due_at, p.quote,
        a.answer, a.registered, a.kept, c.date, c.topic, c.caller_ref, c.started_at, coalesce(c.queue, '') AS queue,
        c.topic_sensitive, p.number_confirmed
    FROM promises p JOIN calls c USING (call_id) LEFT JOIN said s USING (call_id, start_ms)
    WHERE coalesce(a.answer, '') <> 'rejected';
CREATE TABLE workdays AS SELECT day, count(*) FILTER (is_open) OVER (ORDER BY day) AS number FROM opened;
CREATE TABLE fated AS
    WITH mine AS (
        SELECT * FROM promised WHERE date BETWEEN $first AND $last OR (date < $first AND due_at >= $first)
    ), rung AS (
        SELECT m.call_id, m.start_ms, min(c.started_at) AS at FROM mine m JOIN calls c
            ON c.caller_ref = m.caller_ref AND c.started_at > m.started_at AND c.direction = 'outbound'
            AND m.type = 'callback' AND c.topic IN (m.topic, 'onbekend', 'status_medewerker')
            AND c.date <= $today
        GROUP BY ALL
    ), told AS (
        SELECT m.call_id, m.start_ms, min(c.started_at) AS at FROM mine m JOIN crit c
            ON c.caller_ref = m.caller_ref AND c.started_at > m.started_at
            AND c.criterion = 'promise_broken_reported' AND c.s = 'met'
            AND coalesce(c.direction, '') <> 'outbound' AND coalesce(m.due_at <= c.started_at, true)
            AND (m.topic = 'onbekend' OR c.topic IN (m.topic, 'onbekend', 'status_medewerker'))
            AND c.date <= $today
        GROUP BY ALL
    )
    SELECT m.*, w.number - v.number AS late_days,
        CASE WHEN kept THEN 'kept' WHEN NOT kept THEN 'broken'
            WHEN r.at IS NOT NULL AND (due_at IS NULL OR r.at <= due_at) AND (t.at IS NULL OR r.at <= t.at)
            THEN 'kept'
            WHEN t.at IS NOT NULL THEN 'broken' WHEN r.at IS NOT NULL THEN 'late'
            WHEN due_at IS NULL THEN 'vague' WHEN due_at::DATE > $today THEN 'open'
            WHEN due_at::DATE = $today THEN 'today' ELSE 'overdue' END AS fate
    FROM mine m LEFT JOIN rung r USING (call_id, start_ms) LEFT JOIN told t USING (call_id, start_ms)
        LEFT JOIN workdays w ON w.day = $today LEFT JOIN workdays v ON v.day = due_at::DATE;
CREATE TABLE again AS
    SELECT DISTINCT c.call_id, arg_max(b.call_id, b.started_at) AS previous FROM calls c JOIN calls b
        ON b.caller_ref = c.caller_ref AND b.topic = c.topic AND b.started_at < c.started_at
    WHERE c.topic <> 'onbekend' AND coalesce(c.direction, '') <> 'outbound'
    GROUP BY c.call_id, c.started_at HAVING c.started_at - max(b.started_at) <= INTERVAL 14 DAY;
CREATE TABLE handed AS
    SELECT c.call_id, c.topic, coalesce(c.queue, '') AS queue,
        CASE WHEN c.call_id IN (SELECT previous FROM again)
                OR c.call_id IN (SELECT call_id FROM promised WHERE type = 'callback') THEN 'failed'
            WHEN c.call_id IN (SELECT call_id FROM crit WHERE criterion = 'transfer_announcement' AND s = 'met')
                AND c.call_id IN (SELECT call_id FROM crit WHERE criterion = 'warm_handover' AND s = 'met')
            THEN 'warm' ELSE 'cold' END AS kind
    FROM calls c WHERE date BETWEEN $first AND $last AND (c.call_id IN (SELECT call_id FROM events
        WHERE type = 'transfer') OR c.call_id IN (SELECT call_id FROM crit
        WHERE criterion = 'transfer_announcement' AND s = 'met'));
UPDATE handed SET topic = '*' WHERE topic IN (SELECT topic FROM handed GROUP BY topic HAVING count(*) < 10);
CREATE TABLE weekly AS
    SELECT item, ($last - date) // 7 AS week, count(*) FILTER (s = 'met') AS h,
        count(*) FILTER (s IN ('met', 'not_met')) AS n
    FROM item WHERE date <= $last AND date > $last - 182 GROUP BY ALL HAVING n >= 10;
CREATE TABLE spans AS
    SELECT item, count(*) FILTER (s = 'met' AND date BETWEEN $first AND $last) AS h,
        count(*) FILTER (s IN ('met', 'not_met') AND date BETWEEN $first AND $last) AS n,
        count(*) FILTER (s = 'met' AND date < $first) AS g, count(*) FILTER (s IN ('met', 'not_met') AND date < $first) AS m
        FROM item WHERE date BETWEEN $before AND $last
        GROUP BY item;
CREATE TABLE causes AS
    SELECT *, (h / n - g / m) * (n / sum(n) OVER w + m / sum(m) OVER w) / 2 AS points FROM (
            SELECT item, 'queue' AS kind, queue AS name, count(*) FILTER (s = 'met' AND date BETWEEN $first AND $last) AS h,
        count(*) FILTER (s IN ('met', 'not_met') AND date BETWEEN $first AND $last) AS n,
        count(*) FILTER (s = 'met' AND date < $first) AS g, count(*) FILTER (s IN ('met', 'not_met') AND date < $first) AS m
        FROM item WHERE date BETWEEN $before AND $last GROUP BY item, queue
            UNION ALL SELECT item, 'topic' AS kind, topic AS name, count(*) FILTER (s = 'met' AND date BETWEEN $first AND $last) AS h,
        count(*) FILTER (s IN ('met', 'not_met') AND date BETWEEN $first AND $last) AS n,
        count(*) FILTER (s = 'met' AND date < $first) AS g, count(*) FILTER (s IN ('met', 'not_met') AND date < $first) AS m
        FROM item WHERE date BETWEEN $before AND $last GROUP BY item, topic)
        WINDOW w AS (PARTITION BY item, kind)
        UNION ALL SELECT i.item, 'part', criterion, count(*) FILTER (c.s <> 'not_met' AND i.date >= $first),
            count(*) FILTER (i.date >= $first), count(*) FILTER (c.s <> 'not_met' AND i.date < $first),
            count(*) FILTER (i.date < $first), NULL
        FROM item i JOIN crit c USING (call_id)
        WHERE i.s IN ('met', 'not_met') AND i.date BETWEEN $before AND $last GROUP BY i.item, criterion;

--- days
SELECT unnest(['today', 'first', 'last']) AS key, unnest([$today, $first, $last]) AS value, 'day' AS kind
UNION ALL SELECT unnest(['before_first', 'before_last']), unnest([$before, $first - 1]), 'day_short'
UNION ALL SELECT 'week|' || i, $last - (7 * i)::INTEGER, 'day_short' FROM range(26) t(i)

--- constants
SELECT unnest(['smallest', 'level', 'firm', 'least', 'repeat_days']) AS key,
    unnest([10, 95, 20, 8, 14]) AS value, 'int' AS kind

--- calls
SELECT 'calls' AS key, count(*) AS value, 'n' AS kind FROM calls WHERE date BETWEEN $first AND $last
UNION ALL SELECT 'scorable', count(*), 'n' FROM calls WHERE date BETWEEN $first AND $last AND scorable
UNION ALL SELECT 'contested', count(*), 'int' FROM calls SEMI JOIN contested USING (call_id)
    WHERE date BETWEEN $first AND $last AND scorable
UNION ALL SELECT 'reviewed', count(*), 'int' FROM good SEMI JOIN done USING (call_id) WHERE date BETWEEN $first AND $last
UNION ALL SELECT 'failures', count(*), 'int' FROM failures

--- items = item|
SELECT item AS k, count(*) FILTER (s = 'met') AS h, count(*) FILTER (s IN ('met', 'not_met')) AS n FROM item WHERE date BETWEEN $first AND $last GROUP BY item

--- item counts
SELECT 'item|' || item || '|' || what AS key, count(*) FILTER (
        CASE what WHEN 'na' THEN s = 'not_applicable' WHEN 'unsure' THEN s = 'uncertain'
            ELSE is_reviewed AND s IN ('met', 'not_met') END) AS value, 'int' AS kind
    FROM item, (VALUES ('na'), ('unsure'), ('reviewed')) w(what) WHERE date BETWEEN $first AND $last GROUP BY ALL

--- changes
SELECT 'item|' || item || '|change' AS key, h / n - g / m AS value, 'points' AS kind
    FROM spans

--- movers
SELECT 'mover|' || item || '|' || what AS key, CASE what WHEN 'before' THEN g / m
        WHEN 'before_n' THEN m WHEN 'now' THEN h / n WHEN 'now_n' THEN n WHEN 'change' THEN h / n - g / m
        WHEN 'low' THEN change_low(h, n, g, m) ELSE change_high(h, n, g, m) END AS value,
        CASE WHEN what IN ('before', 'now') THEN 'percent' WHEN right(what, 2) = '_n' THEN 'int'
            ELSE 'points' END AS kind
    FROM spans,
        (VALUES ('before'), ('before_n'), ('now'), ('now_n'), ('change'), ('low'), ('high')) w(what)

--- causes
SELECT 'cause|' || item || '|' || c.kind || '|' || name || '|' || what AS key,
        CASE what WHEN 'before' THEN g / m WHEN 'before_n' THEN m WHEN 'now' THEN h / n WHEN 'now_n' THEN n
            ELSE points END AS value,
        CASE WHEN what IN ('before', 'now') THEN 'percent' WHEN right(what, 2) = '_n' THEN 'int'
            ELSE 'points' END AS kind
    FROM causes c, (VALUES ('before'), ('before_n'), ('now'), ('now_n'), ('points')) w(what)

--- compliance = compliance|
SELECT criterion AS k, count(*) FILTER (s = 'met') AS h, count(*) FILTER (s IN ('met', 'not_met')) AS n FROM crit WHERE date BETWEEN $first AND $last GROUP BY criterion

--- compliance counts
SELECT 'compliance|' || criterion || '|' || what AS key,
        count(*) FILTER (CASE what WHEN 'na' THEN s = 'not_applicable' ELSE s = 'uncertain' END) AS value,
        'int' AS kind
    FROM crit, (VALUES ('na'), ('unsure')) w(what) WHERE date BETWEEN $first AND $last GROUP BY ALL

--- promises
SELECT 'promises|promises' AS key, count(*) AS value, 'int' AS kind FROM fated
UNION ALL SELECT 'promises|calls', count(DISTINCT call_id), 'int' FROM fated
UNION ALL SELECT 'promises|dated', count(due_at), 'int' FROM fated
UNION ALL SELECT 'promises|known', count(*), 'int' FROM fated WHERE fate IN ('kept', 'late', 'broken')
UNION ALL SELECT 'promises|asked', count(registered), 'int' FROM fated
UNION ALL SELECT 'promises|absent', count(*), 'int' FROM fated WHERE NOT registered

--- kept = promises|
SELECT 'kept' AS k, count(*) FILTER (fate <> 'broken') AS h, count(*) AS n
    FROM fated WHERE fate IN ('kept', 'late', 'broken')
    UNION ALL SELECT 'in_time', count(*) FILTER (fate = 'kept'), count(*)
    FROM fated WHERE fate IN ('kept', 'late', 'broken')

--- fates
SELECT 'fate|' || f AS key, count(fate) AS value, 'int' AS kind
    FROM (VALUES ('today'), ('overdue'), ('broken'), ('late'), ('kept'), ('open'), ('vague')) t(f)
    LEFT JOIN fated ON fate = f GROUP BY f

--- register
SELECT 'promise|' || call_id || '|' || start_ms || '|' || type || '|' || what AS key,
        CASE what WHEN 'due' THEN coalesce(strftime(due_at, '%d-%m-%Y %H:%M'), deadline_text) WHEN 'by' THEN "by"
            WHEN 'overdue_by' THEN late_days::VARCHAR WHEN 'call' THEN call_id WHEN 'quote' THEN quote
            WHEN 'day' THEN date::VARCHAR ELSE start_ms::VARCHAR END AS value,
        CASE what WHEN 'at' THEN 'moment' WHEN 'day' THEN 'day_short' ELSE 'text' END AS kind
    FROM fated, (VALUES ('due'), ('by'), ('overdue_by'), ('call'), ('quote'), ('day'), ('at')) w(what)

--- repeats = repeats|
WITH known AS (SELECT *, call_id IN (SELECT call_id FROM again) AS r FROM calls WHERE date BETWEEN $first AND $last AND direction IS DISTINCT FROM 'outbound'
        AND caller_ref IS NOT NULL AND topic <> 'onbekend')
    SELECT 'all|' AS k, count(*) FILTER (r) AS h, count(*) AS n FROM known
    UNION ALL SELECT 'topic|' || topic, count(*) FILTER (r), count(*) FROM known GROUP BY topic
    UNION ALL SELECT 'queue|' || queue, count(*) FILTER (r), count(*) FROM known GROUP BY queue
    UNION ALL SELECT 'after_promise', count(*) FILTER (previous IN (SELECT call_id FROM promised)), count(*)
        FROM again JOIN calls USING (call_id) WHERE date BETWEEN $first AND $last
    UNION ALL SELECT 'told_broken', count(*) FILTER (s = 'met'), count(*) FILTER (s IN ('met', 'not_met'))
        FROM crit WHERE date BETWEEN $first AND $last AND direction IS DISTINCT FROM 'outbound' AND criterion = 'promise_broken_reported'
    UNION ALL SELECT 'status', count(*) FILTER (topic = 'status_medewerker'
            OR list_contains(list_transform(topics, lambda t: t.topic), 'status_medewerker')), count(*)
        FROM calls WHERE date BETWEEN $first AND $last AND direction IS DISTINCT FROM 'outbound'

--- proposal = 
WITH best AS (SELECT item FROM (SELECT item, count(*) FILTER (s = 'met') AS h,
            count(*) FILTER (s IN ('met', 'not_met')) AS n
            FROM item WHERE date BETWEEN $first AND $last GROUP BY item)
        WHERE n >= 10 ORDER BY high(h, n), item DESC LIMIT 1)
    SELECT 'proposal' AS k, count(*) FILTER (c.s = 'not_met') AS h, count(*) AS n
    FROM item i JOIN best USING (item) JOIN crit c USING (call_id) JOIN parts p ON p.item = i.item
        AND p.part = c.criterion
    WHERE i.date BETWEEN $first AND $last AND i.s IN ('met', 'not_met')
    GROUP BY criterion ORDER BY h DESC LIMIT 1

--- weeks = week|
SELECT week || '|' || item AS k, h, n FROM weekly

--- limits
WITH base AS (SELECT item, sum(h) / sum(n) AS p, count(*) AS weeks FROM weekly
        WHERE $last - (7 * week)::INTEGER < $first GROUP BY item)
    SELECT 'limits|' || item || '|mean' AS key, p AS value, 'percent' AS kind FROM base
    UNION ALL SELECT 'limits|' || item || '|n', weeks, 'int' FROM base
    UNION ALL SELECT 'limits|' || item || '|out',
        count(*) FILTER (abs(h / n - p) > 3 * sqrt(p * (1 - p) / n)), 'int'
    FROM weekly JOIN base USING (item) GROUP BY item

--- handovers
WITH cells AS (
        SELECT 'handover|' || topic || '|' || queue AS k, kind FROM handed
        UNION ALL SELECT 'handover_topic|' || topic, kind FROM handed
        UNION ALL SELECT 'handover_queue|' || queue, kind FROM handed
        UNION ALL SELECT 'handover_all', kind FROM handed
    )
    SELECT k || '|' || what AS key,
        CASE what WHEN 'hidden' THEN count(*) ELSE count(*) FILTER (kind = what) END AS value,
        CASE what WHEN 'hidden' THEN 'hidden' ELSE 'int' END AS kind
    FROM cells, (VALUES ('warm'), ('cold'), ('failed'), ('hidden')) w(what) GROUP BY k, what

--- gaps = gap|
SELECT topic || '|' || criterion AS k, count(*) FILTER (s = 'not_met') AS h,
        count(*) FILTER (s IN ('met', 'not_met')) AS n
    FROM crit WHERE date BETWEEN $first AND $last AND criterion IN ('unexplained_jargon', 'hedging', 'dead_air') GROUP BY topic, criterion
    UNION ALL SELECT topic || '|hold',
        count(*) FILTER (call_id IN (SELECT call_id FROM events WHERE type = 'hold')),
        count(*) FROM calls WHERE date BETWEEN $first AND $last AND scorable GROUP BY topic

--- jargon
SELECT 'jargon|' || word AS key, count(DISTINCT call_id) AS value, 'int' AS kind FROM (
        SELECT call_id, lower(unnest(evidence).quote) AS word FROM criteria WHERE criterion = 'unexplained_jargon')
    JOIN crit USING (call_id) WHERE criterion = 'unexplained_jargon' AND s = 'not_met' AND date BETWEEN $first AND $last GROUP BY word

--- plan
WITH lines AS (SELECT *, least(28, $last - starts_on + 1)::INTEGER AS days FROM plan_actions), sums AS (
        SELECT l.id, any_value(l.starts_on) AS starts_on,
            count(*) FILTER (s = 'met' AND date >= starts_on) AS h,
            count(*) FILTER (s IN ('met', 'not_met') AND date >= starts_on) AS n,
            count(*) FILTER (s = 'met' AND date < starts_on) AS g,
            count(*) FILTER (s IN ('met', 'not_met') AND date < starts_on) AS m
        FROM lines l JOIN item i ON i.item = l.item AND date >= starts_on - days AND date < starts_on + days
        GROUP BY l.id)
    SELECT 'plan|' || id || '|' || what AS key, CASE what WHEN 'before|share' THEN g / m WHEN 'before|n' THEN m
        WHEN 'after|share' THEN h / n WHEN 'after|n' THEN n WHEN 'change' THEN h / n - g / m
        WHEN 'low' THEN change_low(h, n, g, m) ELSE change_high(h, n, g, m) END AS value,
        CASE WHEN what LIKE '%share' THEN 'percent' WHEN what LIKE '%|n' THEN 'int' ELSE 'points' END AS kind
    FROM sums, (VALUES ('before|share'), ('before|n'), ('after|share'), ('after|n'), ('change'), ('low'), ('high'))
        w(what)

--- plan texts
SELECT 'plan|' || id || '|' || what AS key, CASE what WHEN 'start' THEN starts_on::VARCHAR
        WHEN 'action' THEN action WHEN 'hypothesis' THEN hypothesis ELSE conclusion END AS value,
        CASE what WHEN 'start' THEN 'day_short' ELSE 'text' END AS kind
    FROM plan_actions, (VALUES ('start'), ('action'), ('hypothesis'), ('conclusion')) w(what)

--- norms = norm|
SELECT 'answer_s' AS k, count(*) FILTER (wait_s <= 25) AS h, count(wait_s) AS n FROM calls
        WHERE date BETWEEN $first AND $last AND direction IS DISTINCT FROM 'outbound'
    UNION ALL SELECT 'transfers', count(*) FILTER (call_id NOT IN (SELECT call_id FROM events
        WHERE type = 'transfer' GROUP BY ALL HAVING count(*) > 1)), count(*) FROM calls
        WHERE date BETWEEN $first AND $last AND direction IS DISTINCT FROM 'outbound' AND scorable
    UNION ALL SELECT 'handled_share', count(*) FILTER (call_id NOT IN (SELECT call_id FROM events
            WHERE type = 'transfer') AND call_id NOT IN (SELECT call_id FROM promised WHERE type = 'callback')),
        count(*) FROM calls WHERE date BETWEEN $first AND $last AND direction IS DISTINCT FROM 'outbound' AND scorable
    UNION ALL SELECT item || '', count(*) FILTER (s = 'met'), count(*) FILTER (s IN ('met', 'not_met'))
        FROM item WHERE date BETWEEN $first AND $last GROUP BY item
    UNION ALL SELECT 'answer_s|before' AS k, count(*) FILTER (wait_s <= 25) AS h, count(wait_s) AS n FROM calls
        WHERE date BETWEEN $before AND $first - 1 AND direction IS DISTINCT FROM 'outbound'
    UNION ALL SELECT 'transfers|before', count(*) FILTER (call_id NOT IN (SELECT call_id FROM events
        WHERE type = 'transfer' GROUP BY ALL HAVING count(*) > 1)), count(*) FROM calls
        WHERE date BETWEEN $before AND $first - 1 AND direction IS DISTINCT FROM 'outbound' AND scorable
    UNION ALL SELECT 'handled_share|before', count(*) FILTER (call_id NOT IN (SELECT call_id FROM events
            WHERE type = 'transfer') AND call_id NOT IN (SELECT call_id FROM promised WHERE type = 'callback')),
        count(*) FROM calls WHERE date BETWEEN $before AND $first - 1 AND direction IS DISTINCT FROM 'outbound' AND scorable
    UNION ALL SELECT item || '|before', count(*) FILTER (s = 'met'), count(*) FILTER (s IN ('met', 'not_met'))
        FROM item WHERE date BETWEEN $before AND $first - 1 GROUP BY item

--- callback norm = norm|
SELECT 'callback_working_days' AS k, count(*) FILTER (v.number - w.number <= 2) AS h, count(*) AS n
    FROM promised JOIN workdays w ON w.day = date JOIN workdays v ON v.day = due_at::DATE
    WHERE date BETWEEN $first AND $last AND type = 'callback'

--- set norms
SELECT unnest(['norm|answer_s|limit', 'norm|callback_working_days|limit', 'norm|transfers|limit'])
        AS key, unnest([25, 2, 1]) AS value, 'int' AS kind
    UNION ALL SELECT unnest(['norm|handled_share|limit', 'norm|opening|limit', 'norm|summary|limit',
        'norm|closing|limit', 'item|opening|norm', 'item|summary|norm', 'item|closing|norm']),
        unnest([0.8, 0.9, 0.7, 0.8, 0.9, 0.7, 0.8]), 'percent'
