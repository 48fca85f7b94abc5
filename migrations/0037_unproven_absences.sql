-- Whom a complete run did not meet and who may be one of its rejects: they are neither met nor missed.
ALTER TABLE run_progress
    ADD COLUMN unproven integer NOT NULL DEFAULT 0 CHECK (unproven >= 0);
