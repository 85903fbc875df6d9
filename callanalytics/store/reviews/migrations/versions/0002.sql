CREATE TABLE indexed_promises (
    call_id VARCHAR NOT NULL,
    promise_index INTEGER NOT NULL,
    type VARCHAR(20) NOT NULL,
    due_at {time},
    number_confirmed BOOLEAN,
    start_ms INTEGER NOT NULL,
    CONSTRAINT pk_indexed_promises PRIMARY KEY (call_id, promise_index),
    CONSTRAINT fk_indexed_promises_call_id FOREIGN KEY(call_id) REFERENCES indexed_calls (call_id) ON DELETE CASCADE
);
CREATE INDEX ix_indexed_promises_due_at ON indexed_promises (due_at);

DELETE FROM indexed_parts;
