-- Places at the remote are as lasting as the rest. They were emptied by a crash of the database and on a standby that
-- is promoted, and workers that were being answered just then did not know of one another: twice as many asked.
ALTER TABLE remote_slots SET LOGGED;

-- A lease that is over may be one whose holder could not renew it, because the database was away. Whoever wants the
-- place says so first, and the holder has a moment to renew it all the same.
ALTER TABLE remote_slots ADD COLUMN wanted_at timestamptz;
