-- {id}, {time} and {double} are SQLite's or PostgreSQL's names of these types: see migrations/__init__.py.

CREATE TABLE attempts (
    id {id} NOT NULL,
    who VARCHAR(64) NOT NULL,
    at {time} NOT NULL,
    CONSTRAINT pk_attempts PRIMARY KEY (id)
);
CREATE INDEX ix_attempts_at ON attempts (at);
CREATE INDEX ix_attempts_who ON attempts (who);

CREATE TABLE indexed_calls (
    call_id VARCHAR NOT NULL,
    part VARCHAR NOT NULL,
    started_at {time},
    day DATE NOT NULL,
    queue VARCHAR,
    direction VARCHAR,
    agent_ref VARCHAR,
    topic VARCHAR NOT NULL,
    sensitive BOOLEAN NOT NULL,
    duration_ms INTEGER NOT NULL,
    scorable BOOLEAN NOT NULL,
    normalized_score {double},
    compliance_status VARCHAR,
    uncertainty {double} NOT NULL,
    uncertain INTEGER NOT NULL,
    recording VARCHAR NOT NULL,
    recording_sha256 VARCHAR NOT NULL,
    scoring VARCHAR NOT NULL,
    CONSTRAINT pk_indexed_calls PRIMARY KEY (call_id)
);
CREATE INDEX ix_indexed_calls_agent_ref ON indexed_calls (agent_ref);
CREATE INDEX ix_indexed_calls_day ON indexed_calls (day);
CREATE INDEX ix_indexed_calls_part ON indexed_calls (part);
CREATE INDEX ix_indexed_calls_queue ON indexed_calls (queue);
CREATE INDEX ix_indexed_calls_topic ON indexed_calls (topic);
CREATE INDEX ix_indexed_calls_uncertainty ON indexed_calls (uncertainty);

CREATE TABLE indexed_parts (
    part VARCHAR NOT NULL,
    mark VARCHAR(80) NOT NULL,
    CONSTRAINT pk_indexed_parts PRIMARY KEY (part)
);

CREATE TABLE users (
    id {id} NOT NULL,
    name VARCHAR(80) NOT NULL,
    password VARCHAR,
    role VARCHAR(20) NOT NULL,
    agent_ref VARCHAR(32),
    lang VARCHAR(2) NOT NULL,
    made_at {time} NOT NULL,
    disabled_at {time},
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT uq_users_name UNIQUE (name)
);

CREATE TABLE contests (
    id {id} NOT NULL,
    call_id VARCHAR NOT NULL,
    criterion VARCHAR(60),
    user_id INTEGER NOT NULL,
    note VARCHAR NOT NULL,
    made_at {time} NOT NULL,
    settled_at {time},
    settled_by INTEGER,
    outcome VARCHAR(10),
    token VARCHAR(64) NOT NULL,
    CONSTRAINT pk_contests PRIMARY KEY (id),
    CONSTRAINT fk_contests_settled_by FOREIGN KEY(settled_by) REFERENCES users (id),
    CONSTRAINT fk_contests_user_id FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT uq_contests_token UNIQUE (token)
);
CREATE INDEX ix_contests_call_id ON contests (call_id);

CREATE TABLE gates (
    id {id} NOT NULL,
    criterion VARCHAR(60) NOT NULL,
    live BOOLEAN NOT NULL,
    figures JSON NOT NULL,
    user_id INTEGER NOT NULL,
    made_at {time} NOT NULL,
    CONSTRAINT pk_gates PRIMARY KEY (id),
    CONSTRAINT fk_gates_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX ix_gates_criterion ON gates (criterion);

CREATE TABLE indexed_criteria (
    call_id VARCHAR NOT NULL,
    criterion VARCHAR(60) NOT NULL,
    status VARCHAR(20) NOT NULL,
    probability {double} NOT NULL,
    CONSTRAINT pk_indexed_criteria PRIMARY KEY (call_id, criterion),
    CONSTRAINT fk_indexed_criteria_call_id FOREIGN KEY(call_id) REFERENCES indexed_calls (call_id) ON DELETE CASCADE
);
CREATE INDEX ix_indexed_criteria_criterion_status ON indexed_criteria (criterion, status);

CREATE TABLE plan_actions (
    id {id} NOT NULL,
    action VARCHAR NOT NULL,
    hypothesis VARCHAR NOT NULL,
    item VARCHAR(60) NOT NULL,
    starts_on DATE NOT NULL,
    user_id INTEGER NOT NULL,
    made_at {time} NOT NULL,
    closed_at {time},
    conclusion VARCHAR NOT NULL,
    token VARCHAR(64) NOT NULL,
    CONSTRAINT pk_plan_actions PRIMARY KEY (id),
    CONSTRAINT fk_plan_actions_user_id FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT uq_plan_actions_token UNIQUE (token)
);

CREATE TABLE promise_judgements (
    id {id} NOT NULL,
    call_id VARCHAR NOT NULL,
    promise_index INTEGER,
    start_ms INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    answer VARCHAR(20) NOT NULL,
    type VARCHAR(20) NOT NULL,
    due_at {time},
    registered BOOLEAN,
    kept BOOLEAN,
    note VARCHAR NOT NULL,
    made_at {time} NOT NULL,
    token VARCHAR(64) NOT NULL,
    CONSTRAINT pk_promise_judgements PRIMARY KEY (id),
    CONSTRAINT fk_promise_judgements_user_id FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT uq_promise_judgements_token UNIQUE (token)
);
CREATE INDEX ix_promise_judgements_call_id ON promise_judgements (call_id);

CREATE TABLE role_swaps (
    id {id} NOT NULL,
    call_id VARCHAR NOT NULL,
    user_id INTEGER NOT NULL,
    made_at {time} NOT NULL,
    token VARCHAR(64) NOT NULL,
    CONSTRAINT pk_role_swaps PRIMARY KEY (id),
    CONSTRAINT fk_role_swaps_user_id FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT uq_role_swaps_token UNIQUE (token)
);
CREATE INDEX ix_role_swaps_call_id ON role_swaps (call_id);

CREATE TABLE samples (
    id {id} NOT NULL,
    name VARCHAR(120) NOT NULL,
    kind VARCHAR(20) NOT NULL,
    blind BOOLEAN NOT NULL,
    filters JSON NOT NULL,
    seed INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    made_at {time} NOT NULL,
    closed_at {time},
    CONSTRAINT pk_samples PRIMARY KEY (id),
    CONSTRAINT fk_samples_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE TABLE sessions (
    token VARCHAR(64) NOT NULL,
    user_id INTEGER NOT NULL,
    csrf VARCHAR(64) NOT NULL,
    made_at {time} NOT NULL,
    seen_at {time} NOT NULL,
    CONSTRAINT pk_sessions PRIMARY KEY (token),
    CONSTRAINT fk_sessions_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE TABLE finished (
    id {id} NOT NULL,
    call_id VARCHAR NOT NULL,
    user_id INTEGER NOT NULL,
    sample_id INTEGER,
    items JSON NOT NULL,
    normalized_score {double},
    made_at {time} NOT NULL,
    token VARCHAR(64) NOT NULL,
    CONSTRAINT pk_finished PRIMARY KEY (id),
    CONSTRAINT fk_finished_sample_id FOREIGN KEY(sample_id) REFERENCES samples (id),
    CONSTRAINT fk_finished_user_id FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT uq_finished_token UNIQUE (token)
);
CREATE INDEX ix_finished_call_id ON finished (call_id);
CREATE INDEX ix_finished_made_at ON finished (made_at);

CREATE TABLE judgements (
    id {id} NOT NULL,
    call_id VARCHAR NOT NULL,
    criterion VARCHAR(60) NOT NULL,
    user_id INTEGER NOT NULL,
    answer VARCHAR(20) NOT NULL,
    how VARCHAR(10) NOT NULL,
    reason VARCHAR(30),
    note VARCHAR NOT NULL,
    machine_status VARCHAR(20) NOT NULL,
    machine_probability {double} NOT NULL,
    scorecard_version VARCHAR NOT NULL,
    scoring VARCHAR NOT NULL,
    sample_id INTEGER,
    made_at {time} NOT NULL,
    token VARCHAR(64) NOT NULL,
    CONSTRAINT pk_judgements PRIMARY KEY (id),
    CONSTRAINT fk_judgements_sample_id FOREIGN KEY(sample_id) REFERENCES samples (id),
    CONSTRAINT fk_judgements_user_id FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT uq_judgements_token_criterion UNIQUE (token, criterion)
);
CREATE INDEX ix_judgements_call_id ON judgements (call_id);
CREATE INDEX ix_judgements_criterion_made_at ON judgements (criterion, made_at);
CREATE INDEX ix_judgements_made_at ON judgements (made_at);

CREATE TABLE sample_calls (
    sample_id INTEGER NOT NULL,
    call_id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    CONSTRAINT pk_sample_calls PRIMARY KEY (sample_id, call_id),
    CONSTRAINT fk_sample_calls_sample_id FOREIGN KEY(sample_id) REFERENCES samples (id) ON DELETE CASCADE
);
CREATE INDEX ix_sample_calls_call_id ON sample_calls (call_id);
