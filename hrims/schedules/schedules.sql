-- Insert, update and read schedules. They are in one file because all three list the columns.

-- name: insert
INSERT INTO schedules (name, cron, time_zone, scope, institutions, identifier_type, page_size, priority, spread_minutes,
                       missed, quiet_from, quiet_until, next_at, made_by, owner_id)
VALUES (%(name)s, %(cron)s, %(time_zone)s, %(scope)s, %(institutions)s, %(identifier_type)s, %(page_size)s, %(priority)s,
        %(spread_minutes)s, %(missed)s, %(quiet_from)s, %(quiet_until)s, %(next_at)s, %(made_by)s,
        %(owner_id)s)
ON CONFLICT (name) DO NOTHING RETURNING id

-- name: update
UPDATE schedules
SET name = %(name)s, cron = %(cron)s, time_zone = %(time_zone)s, scope = %(scope)s, institutions = %(institutions)s,
    identifier_type = %(identifier_type)s, page_size = %(page_size)s, priority = %(priority)s,
    spread_minutes = %(spread_minutes)s, missed = %(missed)s, quiet_from = %(quiet_from)s,
    quiet_until = %(quiet_until)s, next_at = %(next_at)s, owner_id = %(owner_id)s
WHERE id = %(id)s

-- name: select
SELECT id, name, cron, time_zone, scope, institutions, identifier_type, page_size, priority, spread_minutes, missed,
       quiet_from, quiet_until, next_at, paused_at, paused_by, made_by, made_at, owner_id
FROM schedules
