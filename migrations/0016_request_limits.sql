-- Requests of each client in its current minute. Not logged to disk: after a crash the counts begin again.
CREATE UNLOGGED TABLE request_counts (
    -- user:12, token:3, address:192.0.2.7, or unauthorized:192.0.2.7 for requests with a wrong token.
    client text PRIMARY KEY CHECK (length(client) <= 100),
    minute timestamptz NOT NULL,
    requests integer NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX request_counts_minute ON request_counts (minute);

-- Counts a request of these clients, and returns how many each has made in the current minute.
-- The clients are in order, so that two requests cannot deadlock.
CREATE FUNCTION count_request(clients text[]) RETURNS TABLE (client text, requests integer, seconds_left integer)
LANGUAGE sql AS $$
    INSERT INTO request_counts AS c (client, minute, requests)
    SELECT g.client, date_trunc('minute', clock_timestamp()), 1
    FROM (SELECT DISTINCT unnest(clients) AS client ORDER BY 1) g
    ON CONFLICT ON CONSTRAINT request_counts_pkey DO UPDATE
    SET requests = CASE WHEN c.minute = excluded.minute THEN c.requests + 1 ELSE 1 END, minute = excluded.minute
    RETURNING c.client, c.requests, greatest(1, 60 - extract(second FROM clock_timestamp())::integer);
$$;
