-- Drops the triggers, functions, sequences and the list of retired IDs.
DROP TRIGGER tasks_refuse_retired_stable_id ON tasks;
DROP TRIGGER tasks_retire_stable_id ON tasks;
DROP TRIGGER tasks_keep_stable_id ON tasks;
DROP TRIGGER tasks_give_stable_id ON tasks;
DROP TRIGGER members_refuse_retired_stable_id ON members;
DROP TRIGGER members_retire_stable_id ON members;
DROP TRIGGER members_keep_stable_id ON members;
DROP TRIGGER members_give_stable_id ON members;
DROP FUNCTION refuse_retired_stable_ids(), retire_stable_ids(), keep_stable_id(), keep_member_id(), give_stable_id(),
    give_member_id(), claim_stable_id("char", text), next_stable_id("char");
DROP TABLE retired_stable_ids;
DROP SEQUENCE stable_id_t, stable_id_m, stable_id_g, stable_id_p;
