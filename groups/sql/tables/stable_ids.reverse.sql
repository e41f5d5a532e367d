-- Drops the sequences, the list of retired IDs, and the backup tables of a rollback of the mission schema.
DROP TABLE IF EXISTS groups_backup, memberships_backup, members_history_backup, groups_history_backup,
    memberships_history_backup, tasks_history_backup;
DROP TABLE retired_stable_ids;
DROP SEQUENCE stable_id_t, stable_id_m, stable_id_g, stable_id_p;
