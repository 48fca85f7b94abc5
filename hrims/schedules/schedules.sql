-- Schedules: written down, held by whoever fires or changes them. In a file of their own because the columns stand in
-- three of them.

-- name: insert
INSERT INTO schedules (name, cron, time_zone, wish, institutions, identifier_type, page_size, priority, spread_minutes,
                       missed, quiet_from, quiet_until, next_at, made_by)
VALUES (%(name)s, %(cron)s, %(time_zone)s, %(wish)s, %(institutions)s, %(identifier_type)s, %(page_size)s, %(priority)s,
        %(spread_minutes)s, %(missed)s, %(quiet_from)s, %(quiet_until)s, %(next_at)s, %(made_by)s)
ON CONFLICT (name) DO NOTHING RETURNING id

-- name: update
UPDATE schedules
SET name = %(name)s, cron = %(cron)s, time_zone = %(time_zone)s, wish = %(wish)s, institutions = %(institutions)s,
    identifier_type = %(identifier_type)s, page_size = %(page_size)s, priority = %(priority)s,
    spread_minutes = %(spread_minutes)s, missed = %(missed)s, quiet_from = %(quiet_from)s,
    quiet_until = %(quiet_until)s, next_at = %(next_at)s
WHERE id = %(id)s

-- name: read
SELECT id, name, cron, time_zone, wish, institutions, identifier_type, page_size, priority, spread_minutes, missed,
       quiet_from, quiet_until, next_at, paused_at, paused_by, made_by, made_at
FROM schedules
