-- Rejects a request, invitation or entry of the waiting list for a colony or an archived mission, and for a current member.
-- The end of a waiting list is always now.
-- SECURITY DEFINER: the row lock on the group needs a privilege that the caller may lack.
CREATE OR REPLACE FUNCTION check_join_request() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    mission groups%ROWTYPE;
BEGIN
    -- The lock keeps the mission from being archived until this transaction ends.
    SELECT * INTO mission FROM groups WHERE id = NEW.group_id FOR SHARE;
    IF mission.type <> 'mission' THEN
        RAISE EXCEPTION 'group % is a colony', NEW.group_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'join_requests_for_mission';
    END IF;
    IF mission.status = 'archived' THEN
        RAISE EXCEPTION 'group % is archived', NEW.group_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'memberships_open_group';
    END IF;
    IF EXISTS (
        SELECT FROM memberships WHERE member_id = NEW.member_id AND group_id = NEW.group_id AND status = 'active'
    ) THEN
        RAISE EXCEPTION 'member % belongs to group %', NEW.member_id, NEW.group_id
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'idx_memberships_active_unique';
    END IF;
    IF NEW.kind = 'waiting' AND NEW.status = 'open' THEN
        NEW.queued_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION check_join_request() FROM PUBLIC;
