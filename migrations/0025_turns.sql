-- Whoever waits for a place at the remote, since when, and when it last looked: a place that is free goes to who has waited
-- longest. Without that whoever gives a place back takes it again at once, before anybody else looks. What is lost in a
-- crash of the database is written again at the next look.
CREATE UNLOGGED TABLE remote_waiters (
    holder text PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now()
);
