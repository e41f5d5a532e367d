-- The codes cannot be restored. The digests are kept beside, so that going forward again does not digest them once more.
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
        RAISE EXCEPTION 'the code of an invitation and who made it never change'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_invitations_code_never_changes';
    END IF;
    IF OLD.status <> 'pending'
        AND (NEW.status, NEW.accepted_by, NEW.accepted_at)
            IS DISTINCT FROM (OLD.status, OLD.accepted_by, OLD.accepted_at) THEN
        RAISE EXCEPTION 'an invitation that is % stays so', OLD.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_invitations_status_moves';
    END IF;
    RETURN NEW;
END $$;
