-- True for an account without an entry in the directory (created by staff), for an approved entry that is not banned or
-- removed, and for a pending entry of a staff account.
-- False while the member has not confirmed the address: it may be someone else's.
-- SECURITY DEFINER, so that no row policy hides an entry. FOR SHARE waits for a concurrent ban.
CREATE OR REPLACE FUNCTION may_be_deck_assignee(of_member uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    entry record;
BEGIN
    IF EXISTS (SELECT FROM account_emailaddress a JOIN members m ON m.id = a.user_id
               WHERE m.id = of_member AND lower(a.email) = lower(m.email) AND NOT a.verified) THEN
        RETURN false;
    END IF;
    SELECT status, deleted_at INTO entry FROM community_members WHERE person_id = of_member FOR SHARE;
    IF NOT FOUND THEN
        RETURN true;
    END IF;
    RETURN entry.deleted_at IS NULL AND CASE
        WHEN entry.status IN ('active', 'suspended') THEN true
        WHEN entry.status = 'banned' THEN false
        ELSE (SELECT is_staff FROM members WHERE id = of_member)
    END;
END $$;
REVOKE EXECUTE ON FUNCTION may_be_deck_assignee(uuid) FROM PUBLIC;
