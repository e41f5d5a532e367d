-- Rejects a change of an entry's number or of an erased entry, and a status change that is not a legal move. A person whose
-- return was accepted in this transaction waits for approval again; a banned one only if a manager accepted it.
CREATE OR REPLACE FUNCTION guard_community_members() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF OLD.erased_at IS NOT NULL THEN
        RAISE EXCEPTION 'the personal data of % was erased; the entry cannot be changed', OLD.member_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_members_erased_stays';
    END IF;
    IF NEW.member_id <> OLD.member_id THEN
        RAISE EXCEPTION 'the number % cannot be changed', OLD.member_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_members_number_never_changes';
    END IF;
    IF NEW.status <> OLD.status AND NOT (CASE OLD.status
        WHEN 'not_member' THEN NEW.status IN ('pending', 'banned')
        WHEN 'pending' THEN NEW.status IN ('active', 'banned')
        WHEN 'active' THEN NEW.status IN ('suspended', 'banned')
        WHEN 'suspended' THEN NEW.status IN ('active', 'banned')
        ELSE false
    END) AND NOT (NEW.status = 'pending' AND OLD.status IN ('active', 'banned') AND EXISTS (
        SELECT FROM community_returns r
        WHERE r.entry_id = OLD.member_id AND r.status = 'accepted' AND r.decided_at = transaction_timestamp()
            AND (OLD.status <> 'banned' OR r.decided_by_id IS NOT NULL)
    )) THEN
        RAISE EXCEPTION 'the status of a member cannot change from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_members_status_moves';
    END IF;
    RETURN NEW;
END $$;
