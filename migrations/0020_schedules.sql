-- When batches are asked for by themselves. A schedule is a row: deploys do not touch it, and whoever fires it holds it.

CREATE TABLE schedules (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (name ~ '[^[:space:]]' AND length(name) <= 80),
    cron text NOT NULL CHECK (length(cron) BETWEEN 9 AND 100),
    time_zone text NOT NULL,
    wish text NOT NULL CHECK (wish IN ('all', 'failed', 'selection')),
    institutions bigint[] NOT NULL DEFAULT '{}',
    identifier_type text CHECK (identifier_type IN ('votecode', 'tin')),
    page_size integer NOT NULL CHECK (page_size BETWEEN 1 AND 500),
    priority text NOT NULL CHECK (priority IN ('urgent', 'normal', 'low')),
    spread_minutes integer NOT NULL CHECK (spread_minutes BETWEEN 0 AND 1440),
    -- What becomes of a time that passed while nobody could ask: nothing, or one batch when somebody can.
    missed text NOT NULL CHECK (missed IN ('skip', 'once')),
    quiet_from time,
    quiet_until time,
    -- The next time at which it is due, worked out when it was last changed or fired.
    next_at timestamptz NOT NULL,
    paused_at timestamptz,
    paused_by text CHECK (paused_by <> ''),
    made_by text NOT NULL CHECK (made_by <> ''),
    made_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT schedules_name_once UNIQUE (name),
    CONSTRAINT schedules_select_somebody CHECK ((wish = 'selection') = (institutions <> '{}')),
    CONSTRAINT schedules_quiet_hours CHECK
        ((quiet_from IS NULL) = (quiet_until IS NULL) AND quiet_from <> quiet_until),
    CONSTRAINT schedules_paused_by_somebody CHECK ((paused_at IS NULL) = (paused_by IS NULL))
);
CREATE INDEX schedules_due ON schedules (next_at) WHERE paused_at IS NULL;

-- Each time at which a schedule was due, once: the key keeps it from being fired twice.
CREATE TABLE schedule_firings (
    schedule_id bigint NOT NULL REFERENCES schedules ON DELETE CASCADE,
    due_at timestamptz NOT NULL,
    fired_at timestamptz NOT NULL DEFAULT now(),
    became text NOT NULL CHECK (became IN ('asked', 'skipped', 'nobody_meant', 'failed')),
    batch_id bigint REFERENCES batches ON DELETE SET NULL,
    PRIMARY KEY (schedule_id, due_at)
);

ALTER TABLE batches ADD COLUMN schedule_id bigint REFERENCES schedules ON DELETE SET NULL;
