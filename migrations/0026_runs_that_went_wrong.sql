-- The page of all runs finds those few among a million that did not end as they should.
CREATE INDEX runs_went_wrong ON runs ((coalesce(outcome, state)), id DESC)
WHERE coalesce(outcome, state) IN ('incomplete', 'failed', 'cancelled');
