-- Drops the triggers, functions, sequences and the list of retired IDs, and the backup tables of a rollback.
DROP TABLE IF EXISTS groups_backup, memberships_backup, members_history_backup, groups_history_backup,
    memberships_history_backup, tasks_history_backup;
DROP TRIGGER tasks_reject_retired_stable_id ON tasks;
DROP TRIGGER tasks_retire_stable_id ON tasks;
DROP TRIGGER tasks_reject_stable_id_change ON tasks;
DROP TRIGGER tasks_assign_stable_id ON tasks;
DROP TRIGGER members_reject_retired_stable_id ON members;
DROP TRIGGER members_retire_stable_id ON members;
DROP TRIGGER members_reject_stable_id_change ON members;
DROP TRIGGER members_assign_stable_id ON members;
DROP FUNCTION reject_retired_stable_ids(), retire_stable_ids(), reject_stable_id_change(), reject_member_id_change(),
    assign_stable_id(), assign_member_id(), claim_stable_id("char", text), next_stable_id("char");
DROP TABLE retired_stable_ids;
DROP SEQUENCE stable_id_t, stable_id_m, stable_id_g, stable_id_p;
