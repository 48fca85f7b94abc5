-- Batches: many runs that are requested at once. Schedules: when a worker requests a batch.

-- A schedule is a row, so a new version of the code does not change it. The worker that fires it locks it.
CREATE TABLE schedules (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (name ~ '[^[:space:]]' AND length(name) <= 80),
    cron text NOT NULL CHECK (length(cron) BETWEEN 9 AND 100),
    time_zone text NOT NULL,
    scope text NOT NULL CHECK (scope IN ('all', 'failed', 'selection')),
    institutions bigint[] NOT NULL DEFAULT '{}',
    identifier_type text CHECK (identifier_type IN ('votecode', 'tin')),
    page_size integer NOT NULL CHECK (page_size BETWEEN 1 AND 500),
    priority text NOT NULL CHECK (priority IN ('urgent', 'normal', 'low')),
    spread_minutes integer NOT NULL CHECK (spread_minutes BETWEEN 0 AND 1440),
    -- What follows from due times at which no worker could fire the schedule: nothing, or one batch afterwards.
    missed text NOT NULL CHECK (missed IN ('skip', 'once')),
    quiet_from time,
    quiet_until time,
    -- The next due time. It is calculated when the schedule is changed or fired.
    next_at timestamptz NOT NULL,
    paused_at timestamptz,
    paused_by text CHECK (paused_by <> ''),
    made_by text NOT NULL CHECK (made_by <> ''),
    made_at timestamptz NOT NULL DEFAULT now(),
    -- The user who saved or resumed the schedule last. Its batches are requested with the rights of this user.
    owner_id bigint NOT NULL REFERENCES users,
    CONSTRAINT schedules_name_once UNIQUE (name),
    CONSTRAINT schedules_select_institutions CHECK ((scope = 'selection') = (institutions <> '{}')),
    CONSTRAINT schedules_quiet_hours CHECK
        ((quiet_from IS NULL) = (quiet_until IS NULL) AND quiet_from <> quiet_until),
    CONSTRAINT schedules_paused_at_and_by CHECK ((paused_at IS NULL) = (paused_by IS NULL))
);
CREATE INDEX schedules_due ON schedules (next_at) WHERE paused_at IS NULL;

CREATE TABLE batches (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope text NOT NULL CHECK (scope IN ('all', 'failed', 'selection')),
    -- NULL means by vote code, or by TIN if the register has no vote code.
    identifier_type text CHECK (identifier_type IN ('votecode', 'tin')),
    page_size integer NOT NULL CHECK (page_size BETWEEN 1 AND 500),
    priority text NOT NULL CHECK (priority IN ('urgent', 'normal', 'low')),
    requested_by text NOT NULL CHECK (requested_by <> ''),
    requested_via text NOT NULL CHECK (requested_via IN ('page', 'api', 'cli', 'schedule', 'system')),
    requester_id bigint REFERENCES users,
    requester_token_id bigint REFERENCES tokens,
    request_id text CHECK (request_id ~ '^[A-Za-z0-9._-]{1,64}$'),
    requested_at timestamptz NOT NULL DEFAULT now(),
    schedule_id bigint REFERENCES schedules ON DELETE SET NULL,
    CONSTRAINT batches_have_a_requester CHECK (requested_via = 'system' OR requester_id IS NOT NULL)
);

-- The institutions of a batch. Each has its own run, joins a run that is under way, or has no run for a reason.
CREATE TABLE batch_members (
    batch_id bigint NOT NULL REFERENCES batches ON DELETE CASCADE,
    institution_id bigint NOT NULL REFERENCES institutions ON DELETE CASCADE,
    run_id bigint REFERENCES runs,
    -- The run was under way before the batch, so the batch does not cancel it.
    joined boolean NOT NULL DEFAULT false,
    skipped text CHECK (skipped IN ('no_identifier', 'busy')),
    PRIMARY KEY (batch_id, institution_id),
    CONSTRAINT batch_members_have_a_run_or_none CHECK ((run_id IS NULL) = (skipped IS NOT NULL))
);
CREATE INDEX batch_members_run ON batch_members (run_id);

-- The due times of a schedule. The primary key prevents a second firing.
CREATE TABLE schedule_firings (
    schedule_id bigint NOT NULL REFERENCES schedules ON DELETE CASCADE,
    due_at timestamptz NOT NULL,
    fired_at timestamptz NOT NULL DEFAULT now(),
    became text NOT NULL CHECK (became IN ('enqueued', 'skipped', 'none_selected', 'refused', 'failed')),
    batch_id bigint REFERENCES batches ON DELETE SET NULL,
    PRIMARY KEY (schedule_id, due_at)
);
