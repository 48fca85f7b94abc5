"""Many machines over one Postgres: poolers, failover and networks that break, with real processes."""
