-- Client missions: assignees, status changes and completion.

-- Deleting a mission cascades to its rows, also in raw SQL. Deleting a member clears the assignee.
DO $$
DECLARE
    link record;
BEGIN
    FOR link IN
        SELECT c.conname, c.conrelid::regclass AS of, c.confrelid::regclass AS to_table, a.attname AS column_name
        FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.contype = 'f' AND (
            (c.confrelid = 'deck_missions'::regclass AND c.conrelid = ANY (ARRAY[
                'dod_items', 'chat_messages', 'test_runs', 'deck_status_changes', 'deck_latest_runs'
            ]::regclass[]))
            OR (c.confrelid = 'test_runs'::regclass AND c.conrelid IN ('test_run_log_pages'::regclass, 'deck_latest_runs'::regclass))
            OR (c.confrelid = 'members'::regclass AND c.conrelid = 'deck_missions'::regclass AND a.attname = 'assignee_id')
        )
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I FOREIGN KEY (%I) REFERENCES %s (id)'
            ' ON DELETE %s DEFERRABLE INITIALLY DEFERRED', link.of, link.conname, link.conname, link.column_name, link.to_table,
            CASE WHEN link.column_name = 'assignee_id' THEN 'SET NULL' ELSE 'CASCADE' END);
    END LOOP;
END $$;

CREATE TRIGGER deck_missions_touch_updated_at BEFORE UPDATE ON deck_missions
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();

-- The assignee of a mission is the member with the address in assigned_to.
CREATE FUNCTION find_deck_assignee() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    NEW.assignee_id := (SELECT id FROM members WHERE lower(email) = lower(NEW.assigned_to));
    RETURN NEW;
END $$;
CREATE TRIGGER deck_missions_find_assignee BEFORE INSERT OR UPDATE OF assigned_to, assignee_id ON deck_missions
    FOR EACH ROW EXECUTE FUNCTION find_deck_assignee();

-- Missions follow the new address of their assignee. A member whose new address matches unassigned missions gets them.
CREATE INDEX deck_missions_unassigned ON deck_missions (lower(assigned_to)) WHERE assignee_id IS NULL;
CREATE FUNCTION assign_deck_missions_to_new_members() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE deck_missions d SET assignee_id = n.id
    FROM new_rows n WHERE d.assignee_id IS NULL AND lower(d.assigned_to) = lower(n.email);
    RETURN NULL;
END $$;
CREATE TRIGGER members_assign_deck_missions AFTER INSERT ON members
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION assign_deck_missions_to_new_members();
CREATE FUNCTION update_deck_missions_of_member() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE deck_missions SET assigned_to = NEW.email WHERE assignee_id = NEW.id;
    UPDATE deck_missions SET assignee_id = NEW.id
    WHERE assignee_id IS NULL AND lower(assigned_to) = lower(NEW.email);
    RETURN NULL;
END $$;
CREATE TRIGGER members_update_deck_missions AFTER UPDATE OF email ON members
    FOR EACH ROW WHEN (OLD.email IS DISTINCT FROM NEW.email) EXECUTE FUNCTION update_deck_missions_of_member();
REVOKE EXECUTE ON FUNCTION assign_deck_missions_to_new_members(), update_deck_missions_of_member() FROM PUBLIC;

-- What is missing to complete a mission: a list of {"what", "count", …}, with up to 20 open items by name.
CREATE FUNCTION deck_mission_missing(of_mission uuid) RETURNS jsonb
LANGUAGE sql VOLATILE SET search_path = public, pg_temp
AS $$
    WITH items AS (
        SELECT count(*) AS all_items, count(*) FILTER (WHERE NOT completed) AS open_items,
               (array_agg(text ORDER BY category, position, created_at, id) FILTER (WHERE NOT completed))[1:20] AS texts
        FROM dod_items WHERE mission_id = of_mission
    ), latest AS (
        SELECT status FROM test_runs WHERE mission_id = of_mission ORDER BY created_at DESC, id DESC LIMIT 1
    )
    SELECT coalesce(jsonb_agg(reason ORDER BY place), '[]') FROM (
        SELECT 1 AS place, jsonb_build_object('what', 'no_items') AS reason FROM items WHERE all_items = 0
        UNION ALL
        SELECT 2, jsonb_build_object('what', 'open_items', 'count', open_items, 'items', to_jsonb(texts))
        FROM items WHERE open_items > 0
        UNION ALL
        SELECT 3, jsonb_build_object('what', 'no_test_run') WHERE NOT EXISTS (SELECT FROM latest)
        UNION ALL
        SELECT 4, jsonb_build_object('what', 'test_run', 'status', status) FROM latest WHERE status <> 'passed'
    ) reasons
$$;

-- Allows one step forward, or one back with a reason. Complete needs that nothing is missing, or an override reason.
-- The mission row is locked before this trigger runs, and changes of items lock it too, so that no item is unticked
-- between the check and the commit.
CREATE FUNCTION check_deck_status_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    missing jsonb;
BEGIN
    IF (OLD.status, NEW.status) NOT IN (('active', 'qa'), ('qa', 'complete'), ('qa', 'active'), ('complete', 'qa')) THEN
        RAISE EXCEPTION 'a client mission cannot change from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'deck_missions_one_step';
    END IF;
    IF (OLD.status, NEW.status) IN (('qa', 'active'), ('complete', 'qa'))
        AND coalesce(current_setting('deck.reason', true), '') ~ '^\s*$'
    THEN
        RAISE EXCEPTION 'a step back needs a reason in deck.reason'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'deck_missions_reason_required';
    END IF;
    IF NEW.status <> 'complete' THEN
        NEW.completed_at := NULL;
        NEW.completed_by_id := NULL;
        NEW.override_reason := '';
        RETURN NEW;
    END IF;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        -- An older snapshot does not show items that were unticked since.
        RAISE EXCEPTION 'a mission can only be completed in READ COMMITTED, not %',
            current_setting('transaction_isolation')
            USING ERRCODE = 'check_violation', CONSTRAINT = 'deck_missions_complete_read_committed';
    END IF;
    NEW.completed_at := coalesce(NEW.completed_at, now());
    missing := deck_mission_missing(NEW.id);
    IF missing <> '[]' AND NEW.override_reason ~ '^\s*$' THEN
        RAISE EXCEPTION 'not done yet: %', missing
            USING ERRCODE = 'check_violation', CONSTRAINT = 'deck_missions_complete_is_done';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER deck_missions_status_change BEFORE UPDATE OF status ON deck_missions
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_deck_status_change();

CREATE FUNCTION reject_deck_initial_status() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'a new client mission must be active, not %', NEW.status
        USING ERRCODE = 'check_violation', CONSTRAINT = 'deck_missions_begin_active';
END $$;
CREATE TRIGGER deck_missions_begin_active BEFORE INSERT ON deck_missions
    FOR EACH ROW WHEN (NEW.status <> 'active') EXECUTE FUNCTION reject_deck_initial_status();

-- The id, the number and the completion details of a mission are immutable.
CREATE FUNCTION reject_deck_immutable_fields() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'the number and the completion details of a client mission cannot be changed'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'deck_missions_immutable_fields';
END $$;
CREATE TRIGGER deck_missions_immutable_fields BEFORE UPDATE ON deck_missions
    FOR EACH ROW WHEN (
        OLD.id <> NEW.id OR OLD.number <> NEW.number OR (OLD.status = NEW.status AND (
            OLD.completed_at IS DISTINCT FROM NEW.completed_at OR OLD.override_reason <> NEW.override_reason
            OR OLD.completed_by_id IS DISTINCT FROM NEW.completed_by_id
        ))
    )
    EXECUTE FUNCTION reject_deck_immutable_fields();

-- Records every status change with actor (deck.actor_id), reason (deck.reason), and what was missing for an override.
-- SECURITY DEFINER, because the role of the site may not write to this table.
CREATE FUNCTION log_deck_status_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    overridden CONSTANT boolean := NEW.status = 'complete' AND NEW.override_reason <> '';
BEGIN
    INSERT INTO deck_status_changes (mission_id, from_status, to_status, reason, is_override, missing, by_id)
    VALUES (
        NEW.id, OLD.status, NEW.status,
        CASE WHEN overridden THEN NEW.override_reason ELSE coalesce(current_setting('deck.reason', true), '') END,
        overridden,
        CASE WHEN overridden THEN deck_mission_missing(NEW.id) ELSE '[]' END,
        coalesce(NEW.completed_by_id, nullif(current_setting('deck.actor_id', true), '')::uuid)
    );
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION log_deck_status_change() FROM PUBLIC;
CREATE TRIGGER deck_missions_log_status_change AFTER UPDATE OF status ON deck_missions
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION log_deck_status_change();

CREATE FUNCTION reject_edit_of_deck_status_changes() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM deck_missions WHERE id = OLD.mission_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'status changes are append-only: % rejected', TG_OP
        USING ERRCODE = 'check_violation', CONSTRAINT = 'deck_status_changes_append_only';
END $$;
CREATE TRIGGER deck_status_changes_append_only BEFORE UPDATE OR DELETE ON deck_status_changes
    FOR EACH ROW EXECUTE FUNCTION reject_edit_of_deck_status_changes();
CREATE TRIGGER deck_status_changes_no_truncate BEFORE TRUNCATE ON deck_status_changes
    FOR EACH STATEMENT EXECUTE FUNCTION reject_edit_of_deck_status_changes();

-- The definition of done of a complete mission is locked. FOR SHARE waits for a concurrent completion.
CREATE FUNCTION check_dod_open() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    mission_status text;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.mission_id <> NEW.mission_id THEN
        RAISE EXCEPTION 'an item cannot be moved to another mission'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'dod_items_mission_immutable';
    END IF;
    SELECT status INTO mission_status FROM deck_missions
    WHERE id = CASE WHEN TG_OP = 'DELETE' THEN OLD.mission_id ELSE NEW.mission_id END FOR SHARE;
    IF mission_status = 'complete' THEN
        RAISE EXCEPTION 'the mission is complete: its definition of done is locked'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'dod_items_closed';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER dod_items_closed BEFORE INSERT OR UPDATE OR DELETE ON dod_items
    FOR EACH ROW EXECUTE FUNCTION check_dod_open();

-- Rows that the role of the site may not change.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE DELETE ON deck_missions, test_runs FROM missionsite_app;
        REVOKE UPDATE, DELETE ON chat_messages, deck_missions_history, dod_items_history FROM missionsite_app;
        REVOKE INSERT, UPDATE, DELETE ON deck_status_changes, test_run_log_pages, deck_latest_runs FROM missionsite_app;
    END IF;
END $$;

-- Assignees of existing missions.
UPDATE deck_missions d SET assignee_id = m.id
FROM members m WHERE d.assignee_id IS NULL AND lower(m.email) = lower(d.assigned_to);
