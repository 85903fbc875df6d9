-- What counts of each promise: the newest answer of a person where there is one, also when it takes the date away, else
-- what the machine heard.  The view `register` runs this over the datasets (DuckDB), and with it the report; the page
-- of the register runs it over the index (SQLite, PostgreSQL).  So it keeps to SQL that all three know.
WITH answered AS (
    SELECT p.call_id, p.promise_index, j.answer, j.type, j.due_at, j.registered, j.kept, j.made_at,
        row_number() OVER (PARTITION BY p.call_id, p.promise_index ORDER BY j.made_at DESC, j.id DESC) AS place
    FROM promise_judgements j JOIN {promises} p ON p.call_id = j.call_id AND p.start_ms = j.start_ms
    -- Two promises may begin at the same moment; their index then tells which one the answer is about.
    WHERE p.promise_index = j.promise_index OR NOT EXISTS (
        SELECT 1 FROM {promises} o
        WHERE o.call_id = p.call_id AND o.start_ms = p.start_ms AND o.promise_index <> p.promise_index)
), by_people AS (  -- missed by the machine, or by a scorecard that came after the person's answer
    SELECT j.*, row_number() OVER (PARTITION BY j.call_id, j.start_ms ORDER BY j.made_at DESC, j.id DESC) AS place
    FROM promise_judgements j
    WHERE NOT EXISTS (SELECT 1 FROM {promises} p WHERE p.call_id = j.call_id AND p.start_ms = j.start_ms)
)
SELECT p.call_id, p.promise_index, p.start_ms, p.number_confirmed, a.answer,
    coalesce(CASE WHEN a.answer <> 'rejected' THEN a.type END, p.type) AS final_type,
    CASE WHEN a.answer IN ('corrected', 'missed') THEN a.due_at
        WHEN a.answer = 'confirmed' THEN coalesce(a.due_at, p.due_at) ELSE p.due_at END AS final_due_at,
    a.registered, a.kept, a.made_at AS judged_at, coalesce(a.answer = 'rejected', false) AS is_rejected
FROM {promises} p LEFT JOIN answered a
    ON a.call_id = p.call_id AND a.promise_index = p.promise_index AND a.place = 1
UNION ALL
SELECT call_id, CAST(NULL AS INTEGER), start_ms, CAST(NULL AS BOOLEAN), answer, type, due_at, registered, kept, made_at,
    false
FROM by_people WHERE place = 1 AND answer <> 'rejected'
