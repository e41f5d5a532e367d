-- A decided return never changes, nor whom it is about. Only a manager may bring a banned person back, also one who was
-- banned after the link was sent.
CREATE OR REPLACE FUNCTION guard_community_returns() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.status <> 'open' THEN
        RAISE EXCEPTION 'a decided return never changes'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_returns_decided_once';
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.invitation_id <> OLD.invitation_id
        OR (OLD.entry_id IS NOT NULL AND NEW.entry_id IS DISTINCT FROM OLD.entry_id)
        OR (OLD.account_id IS NOT NULL AND NEW.account_id IS DISTINCT FROM OLD.account_id)) THEN
        RAISE EXCEPTION 'whom a return is about never changes'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_returns_target_never_changes';
    END IF;
    IF NEW.status = 'accepted' AND NEW.decided_by_id IS NULL
        AND EXISTS (SELECT FROM community_members c WHERE c.member_id = NEW.entry_id AND c.status = 'banned') THEN
        RAISE EXCEPTION 'only a manager brings a banned person back'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_returns_manager_confirms';
    END IF;
    RETURN NEW;
END $$;
