-- What is kept for how long. Jobs of the queue go first; then what a run did, page by page, while its summary stays. Each
-- statement deletes a little, found by an index, so that a million past runs cost no more than a thousand.

-- From when on what a run did is no longer kept: its pages, rejects, and what its attempts logged; and whether some of it
-- is still being deleted.
ALTER TABLE runs ADD COLUMN pruned_at timestamptz, ADD COLUMN pruning boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT runs_pruned_have_ended CHECK (pruned_at IS NULL OR finished_at IS NOT NULL);
CREATE INDEX runs_to_prune ON runs (finished_at) WHERE finished_at IS NOT NULL AND pruned_at IS NULL;

CREATE INDEX runs_pruning ON runs (id) WHERE pruning;

CREATE INDEX jobs_over ON procrastinate_jobs (id) WHERE status IN ('succeeded', 'cancelled', 'aborted');
CREATE INDEX jobs_failed ON procrastinate_jobs (id) WHERE status = 'failed';
