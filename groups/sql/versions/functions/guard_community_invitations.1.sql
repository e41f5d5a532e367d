-- Rejects a change of an ended invitation or its inviter. A pending invitation may get a new code; an ended one keeps
-- its code.
CREATE OR REPLACE FUNCTION guard_community_invitations() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NEW.created_by <> OLD.created_by THEN
        RAISE EXCEPTION 'the inviter of an invitation never changes'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_invitations_inviter_never_changes';
    END IF;
    IF NEW.invitation_code <> OLD.invitation_code AND (OLD.status, NEW.status) <> ('pending', 'pending') THEN
        RAISE EXCEPTION 'the code of an invitation changes only while it is pending'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_invitations_code_changes_while_pending';
    END IF;
    IF OLD.status <> 'pending'
        AND (NEW.status, NEW.accepted_by, NEW.accepted_at)
            IS DISTINCT FROM (OLD.status, OLD.accepted_by, OLD.accepted_at) THEN
        RAISE EXCEPTION 'an invitation that is % never changes', OLD.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_invitations_status_moves';
    END IF;
    RETURN NEW;
END $$;
