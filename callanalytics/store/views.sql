-- The views of the catalog that join others, with what a row and each column of them means.
-- catalog.py fills in what stands in braces: the SELECT of counted_promises.sql, each item of the scorecard beside its
-- column of `calls`, the days of a repeat call, and z and z2: the quantile of the 95 % interval and its square.

-- The 95 % interval of a share (Wilson 1927): wilson_low(hits, n), wilson_high(hits, n); NULL without cases.
CREATE MACRO wilson_low(k, n) AS CASE WHEN n > 0 THEN greatest(0.0,
    ((k / n + {z2} / (2 * n)) - {z} * sqrt(k / n * (1 - k / n) / n + {z2} / (4 * n * n))) / (1 + {z2} / n)) END;
CREATE MACRO wilson_high(k, n) AS CASE WHEN n > 0 THEN least(1.0,
    ((k / n + {z2} / (2 * n)) + {z} * sqrt(k / n * (1 - k / n) / n + {z2} / (4 * n * n))) / (1 + {z2} / n)) END;

-- A call scored blind for a sample is not reviewed by that.
CREATE VIEW reviews_of_calls AS
SELECT * FROM finished WHERE sample_id IS NULL OR sample_id IN (SELECT id FROM samples WHERE NOT blind);
COMMENT ON VIEW reviews_of_calls IS 'rows of finished that are reviews: not scored blind';


CREATE VIEW reviewed_criteria AS
WITH last_words AS (  -- of each person
    SELECT * FROM judgements WHERE how <> 'blind'
    QUALIFY row_number() OVER (PARTITION BY call_id, criterion, user_id ORDER BY made_at DESC, id DESC) = 1
), people AS (
    SELECT call_id, criterion, answer, how, reason, made_at,
        count(*) OVER called AS reviewers,
        min(answer) OVER called <> max(answer) OVER called AS disagree
    FROM last_words
    WINDOW called AS (PARTITION BY call_id, criterion)
    QUALIFY row_number() OVER (PARTITION BY call_id, criterion ORDER BY made_at DESC, id DESC) = 1
), open_contests AS (SELECT call_id, criterion FROM contests WHERE settled_at IS NULL)
SELECT c.call_id, c.date, c.criterion, c.applicable, c.detected, c.status, c.probability, c.source,
    p.answer AS human_status, p.how, p.reason, coalesce(p.reviewers, 0) AS reviewers,
    coalesce(p.disagree, false) AS disagree, p.made_at AS judged_at,
    coalesce(nullif(p.answer, 'unclear'), c.status) AS final_status,
    CASE WHEN c.call_id IN (SELECT call_id FROM open_contests WHERE criterion IS NULL)
            OR (c.call_id, c.criterion) IN (SELECT (call_id, criterion) FROM open_contests
                WHERE criterion IS NOT NULL) THEN 'contested'
        WHEN p.answer IS NOT NULL THEN 'reviewed' ELSE 'machine' END AS state
FROM criteria c LEFT JOIN people p USING (call_id, criterion);

COMMENT ON VIEW reviewed_criteria IS 'a call x criterion: what the machine says and what people say; blind judgements of samples never count';
COMMENT ON COLUMN reviewed_criteria.call_id IS 'identifier of the call';
COMMENT ON COLUMN reviewed_criteria.date IS 'date of the call where it was made';
COMMENT ON COLUMN reviewed_criteria.criterion IS 'identifier of the criterion';
COMMENT ON COLUMN reviewed_criteria.applicable IS 'whether the machine says that the criterion applied';
COMMENT ON COLUMN reviewed_criteria.detected IS 'whether the machine found the behaviour';
COMMENT ON COLUMN reviewed_criteria.status IS 'the machine''s status: met, not_met, not_applicable or uncertain';
COMMENT ON COLUMN reviewed_criteria.probability IS 'the machine''s probability that the behaviour occurred';
COMMENT ON COLUMN reviewed_criteria.source IS 'rule, model, both or metric';
COMMENT ON COLUMN reviewed_criteria.human_status IS 'newest answer of a person: met, not_met, not_applicable or unclear; null without one';
COMMENT ON COLUMN reviewed_criteria.how IS 'single (looked at by itself) or rest (accepted with all the rest)';
COMMENT ON COLUMN reviewed_criteria.reason IS 'why the person corrected the machine';
COMMENT ON COLUMN reviewed_criteria.reviewers IS 'people who gave an answer';
COMMENT ON COLUMN reviewed_criteria.disagree IS 'whether the newest answers of people differ';
COMMENT ON COLUMN reviewed_criteria.judged_at IS 'when the newest answer was given';
COMMENT ON COLUMN reviewed_criteria.final_status IS 'the person''s answer, else, or when it is unclear, the machine''s status';
COMMENT ON COLUMN reviewed_criteria.state IS 'contested while an open contest is about it, reviewed with a person''s answer, else machine';


CREATE VIEW call_states AS
SELECT call_id,
    CASE WHEN call_id IN (SELECT call_id FROM contests WHERE settled_at IS NULL) THEN 'contested'
        WHEN call_id IN (SELECT call_id FROM reviews_of_calls) THEN 'reviewed' ELSE 'machine' END AS state
FROM calls;

COMMENT ON VIEW call_states IS 'a call: machine, reviewed (somebody finished it, not blind) or contested (an open contest)';
COMMENT ON COLUMN call_states.call_id IS 'identifier of the call';
COMMENT ON COLUMN call_states.state IS 'machine, reviewed or contested';


CREATE VIEW items AS
WITH statuses AS (
    SELECT call_id, date, one.item, one.status AS machine_status
    FROM (SELECT call_id, date, unnest([{items}]) AS one FROM calls) WHERE one.status IS NOT NULL
), newest AS (
    SELECT call_id, items FROM reviews_of_calls
    QUALIFY row_number() OVER (PARTITION BY call_id ORDER BY made_at DESC, id DESC) = 1
)
SELECT call_id, s.date, s.item, s.machine_status,
    coalesce(json_extract_string(newest.items, '$."' || s.item || '"'), s.machine_status) AS final_status, state
FROM statuses s JOIN call_states USING (call_id) LEFT JOIN newest USING (call_id);

COMMENT ON VIEW items IS 'a call x item of the scorecard of now';
COMMENT ON COLUMN items.call_id IS 'identifier of the call';
COMMENT ON COLUMN items.date IS 'date of the call where it was made';
COMMENT ON COLUMN items.item IS 'identifier of the item';
COMMENT ON COLUMN items.machine_status IS 'the machine''s status: met, not_met, not_applicable or uncertain';
COMMENT ON COLUMN items.final_status IS 'what the newest review of the call came to, else the machine''s status';
COMMENT ON COLUMN items.state IS 'of the call: machine, reviewed or contested';


CREATE VIEW register AS
SELECT call_id, c.date, c.queue, c.topic, promise_index, p.type, p."by", p.deadline_text, p.due_at,
    p.number_confirmed, p.quote, n.start_ms, n.answer, n.final_type, n.final_due_at, n.registered, n.kept,
    n.judged_at, n.is_rejected
FROM ({counted_promises}) n JOIN calls c USING (call_id) LEFT JOIN promises p USING (call_id, promise_index);

COMMENT ON VIEW register IS 'a promise to a citizen, as the machine heard it or a person wrote it down, with the newest answer of a person';
COMMENT ON COLUMN register.call_id IS 'identifier of the call';
COMMENT ON COLUMN register.date IS 'date of the call where it was made';
COMMENT ON COLUMN register.queue IS 'queue the call came in on';
COMMENT ON COLUMN register.topic IS 'main reason of the call';
COMMENT ON COLUMN register.promise_index IS 'position in `promises`; null when the machine (of now) has no such promise';
COMMENT ON COLUMN register.type IS 'callback, action, letter_or_email or visit, as the machine heard it';
COMMENT ON COLUMN register."by" IS 'who is to do it, as said (write it as "by" in SQL)';
COMMENT ON COLUMN register.deadline_text IS 'the deadline as said';
COMMENT ON COLUMN register.due_at IS 'the deadline as the machine resolved it';
COMMENT ON COLUMN register.number_confirmed IS 'for a callback: whether the number was checked';
COMMENT ON COLUMN register.quote IS 'the promise as said, redacted';
COMMENT ON COLUMN register.start_ms IS 'start, ms from the start of the call';
COMMENT ON COLUMN register.answer IS 'newest answer of a person: confirmed, corrected, rejected or missed; null without one';
COMMENT ON COLUMN register.final_type IS 'type by the person''s answer, else the machine''s';
COMMENT ON COLUMN register.final_due_at IS 'deadline by the person''s answer, else the machine''s';
COMMENT ON COLUMN register.registered IS 'whether it stands in the municipality''s own system, by the person';
COMMENT ON COLUMN register.kept IS 'whether it was kept, by the person';
COMMENT ON COLUMN register.judged_at IS 'when the newest answer was given';
COMMENT ON COLUMN register.is_rejected IS 'whether the person says that it is no promise';


CREATE VIEW repeat_calls AS
WITH known AS (
    SELECT call_id, date, queue, topic, direction, started_at,
        lag(call_id) OVER earlier AS previous_call_id, lag(started_at) OVER earlier AS previous_at
    FROM calls
    WHERE caller_ref IS NOT NULL AND started_at IS NOT NULL AND topic <> 'onbekend'
    WINDOW earlier AS (PARTITION BY caller_ref, topic ORDER BY started_at, call_id)
)
SELECT call_id, date, queue, topic, previous_call_id,
    date_diff('day', previous_at::DATE, started_at::DATE) AS days_between,
    (SELECT count(*) FROM register r WHERE r.call_id = previous_call_id AND NOT is_rejected) AS promise_before
FROM known
WHERE direction IS DISTINCT FROM 'outbound' AND started_at - previous_at <= INTERVAL {repeat_days} DAY;

COMMENT ON VIEW repeat_calls IS 'a citizen''s call after another call of the same caller about the same topic, {repeat_days} days ago at most; calls that the municipality made are no repeats; needs caller_ref';
COMMENT ON COLUMN repeat_calls.call_id IS 'identifier of the call';
COMMENT ON COLUMN repeat_calls.date IS 'date of the call where it was made';
COMMENT ON COLUMN repeat_calls.queue IS 'queue the call came in on';
COMMENT ON COLUMN repeat_calls.topic IS 'main reason of both calls; never onbekend';
COMMENT ON COLUMN repeat_calls.previous_call_id IS 'the caller''s last call about it before this one';
COMMENT ON COLUMN repeat_calls.days_between IS 'calendar days between them, 0 on the same day';
COMMENT ON COLUMN repeat_calls.promise_before IS 'promises of the register in the previous call';
