-- Rules between rows: stable IDs of groups, a colony above each mission, no new membership in an archived group.
CREATE FUNCTION assign_group_stable_id() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    kind "char" := CASE NEW.type WHEN 'colony' THEN 'G' ELSE 'M' END;
BEGIN
    IF coalesce(NEW.stable_id, '') = '' THEN
        NEW.stable_id := next_stable_id(kind);
    ELSE
        PERFORM claim_stable_id(kind, NEW.stable_id);
    END IF;
    -- A colony has no threshold; the column's default of 0 counts as none.
    IF NEW.type = 'colony' AND NEW.min_trust_score = 0 THEN
        NEW.min_trust_score := NULL;
    END IF;
    RETURN NEW;
END $$;

-- SECURITY DEFINER: the row lock on the parent needs a privilege that the caller may lack.
CREATE FUNCTION check_group() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    parent groups%ROWTYPE;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.type <> OLD.type THEN
            RAISE EXCEPTION 'group % cannot change its type %', OLD.stable_id, OLD.type
                USING ERRCODE = 'check_violation', CONSTRAINT = 'groups_type_never_changes';
        END IF;
        IF NEW.type = 'colony' AND NEW.status = 'archived' AND OLD.status <> 'archived'
            AND EXISTS (SELECT FROM groups WHERE parent_group_id = NEW.id AND status = 'active') THEN
            RAISE EXCEPTION 'colony % has active missions', OLD.stable_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'groups_colony_has_active_missions';
        END IF;
    END IF;
    IF NEW.type = 'mission' AND NEW.parent_group_id IS NOT NULL THEN
        -- The lock keeps the colony from being archived until this transaction ends.
        SELECT * INTO parent FROM groups WHERE id = NEW.parent_group_id FOR SHARE;
        IF parent.type <> 'colony' THEN
            RAISE EXCEPTION 'the parent of a mission must be a colony, % is not', parent.stable_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'groups_parent_is_colony';
        END IF;
        IF parent.status = 'archived' AND NEW.status = 'active' THEN
            RAISE EXCEPTION 'colony % is archived', parent.stable_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'groups_colony_is_open';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION check_open_group() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    found_status text;
BEGIN
    -- The lock keeps the group from being archived until this transaction ends.
    SELECT status INTO found_status FROM groups WHERE id = NEW.group_id FOR SHARE;
    IF found_status = 'archived' THEN
        RAISE EXCEPTION 'group % is archived', NEW.group_id
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_ARGV[0];
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER groups_assign_stable_id BEFORE INSERT ON groups
    FOR EACH ROW EXECUTE FUNCTION assign_group_stable_id();
CREATE TRIGGER groups_reject_stable_id_change BEFORE UPDATE ON groups
    FOR EACH ROW WHEN (OLD.stable_id IS DISTINCT FROM NEW.stable_id) EXECUTE FUNCTION reject_stable_id_change();
CREATE TRIGGER groups_retire_stable_id AFTER DELETE ON groups
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION retire_stable_ids();
CREATE TRIGGER groups_reject_retired_stable_id AFTER INSERT ON groups
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION reject_retired_stable_ids();
CREATE TRIGGER groups_check BEFORE INSERT ON groups
    FOR EACH ROW EXECUTE FUNCTION check_group();
CREATE TRIGGER groups_check_change BEFORE UPDATE ON groups
    FOR EACH ROW
    WHEN (OLD.type <> NEW.type OR OLD.status <> NEW.status
          OR OLD.parent_group_id IS DISTINCT FROM NEW.parent_group_id)
    EXECUTE FUNCTION check_group();
CREATE TRIGGER memberships_open_group BEFORE INSERT ON memberships
    FOR EACH ROW WHEN (NEW.status = 'active') EXECUTE FUNCTION check_open_group('memberships_open_group');
CREATE TRIGGER memberships_open_group_change BEFORE UPDATE ON memberships
    FOR EACH ROW
    WHEN (NEW.status = 'active' AND (OLD.status <> 'active' OR OLD.group_id <> NEW.group_id))
    EXECUTE FUNCTION check_open_group('memberships_open_group');
CREATE TRIGGER tasks_open_group BEFORE INSERT ON tasks
    FOR EACH ROW WHEN (NEW.state = 'open') EXECUTE FUNCTION check_open_group('tasks_open_group');
CREATE TRIGGER tasks_open_group_change BEFORE UPDATE ON tasks
    FOR EACH ROW WHEN (NEW.state = 'open' AND (OLD.state <> 'open' OR OLD.group_id <> NEW.group_id))
    EXECUTE FUNCTION check_open_group('tasks_open_group');

REVOKE EXECUTE ON FUNCTION assign_group_stable_id(), check_group(), check_open_group() FROM PUBLIC;
