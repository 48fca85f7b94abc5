-- How urgent a run is: who is more urgent starts first, then who asked first. The job in the queue bears the same as
-- a number (hrims/jobs/starts/priorities.py), whenever it is queued.

ALTER TABLE runs ADD COLUMN priority text NOT NULL DEFAULT 'normal'
    CHECK (priority IN ('urgent', 'normal', 'low'));
