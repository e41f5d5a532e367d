-- Ends the open returns of a person whose directory entry is erased, with what was entered.
CREATE OR REPLACE FUNCTION erase_returns() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE community_returns SET
        status = 'declined', decided_at = now(), name = '', email = '', telegram_id = '', details = '{}',
        link_digest = NULL
    WHERE status = 'open' AND (entry_id = NEW.member_id OR account_id = NEW.person_id);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION erase_returns() FROM PUBLIC;
