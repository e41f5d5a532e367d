-- Checks a group against its colony and its missions: the type is fixed, a colony is above each mission and open.
-- SECURITY DEFINER: the row lock on the parent needs a privilege that the caller may lack.
CREATE OR REPLACE FUNCTION check_group() RETURNS trigger
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
REVOKE EXECUTE ON FUNCTION check_group() FROM PUBLIC;
