-- The codes cannot be restored. A backup of the digests keeps migrating forward from digesting them again.
CREATE TABLE invitation_digests_backup AS
    SELECT invitation_code AS digest FROM community_invitations
    UNION SELECT invitation_code FROM community_invitations_history;
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM invitation_digests_backup) THEN
        DROP TABLE invitation_digests_backup;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION guard_community_invitations() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NEW.invitation_code <> OLD.invitation_code OR NEW.created_by <> OLD.created_by THEN
        RAISE EXCEPTION 'the code and the inviter of an invitation never change'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_invitations_code_never_changes';
    END IF;
    IF OLD.status <> 'pending'
        AND (NEW.status, NEW.accepted_by, NEW.accepted_at)
            IS DISTINCT FROM (OLD.status, OLD.accepted_by, OLD.accepted_at) THEN
        RAISE EXCEPTION 'an invitation that is % never changes', OLD.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_invitations_status_moves';
    END IF;
    RETURN NEW;
END $$;
