-- Erases how a person logged in, and where from, when their directory entry is erased.
CREATE OR REPLACE FUNCTION erase_account() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM set_config('missionsite.erasing', 'on', true);
    UPDATE security_events SET address = NULL, user_agent = '', payload = '{}'
    WHERE NEW.person_id IN (member_id, actor_id);
    DELETE FROM django_session WHERE session_key IN
        (SELECT session_key FROM usersessions_usersession WHERE user_id = NEW.person_id);
    DELETE FROM usersessions_usersession WHERE user_id = NEW.person_id;
    DELETE FROM mfa_authenticator WHERE user_id = NEW.person_id;
    DELETE FROM socialaccount_socialtoken WHERE account_id IN
        (SELECT id FROM socialaccount_socialaccount WHERE user_id = NEW.person_id);
    DELETE FROM socialaccount_socialaccount WHERE user_id = NEW.person_id;
    DELETE FROM account_emailaddress WHERE user_id = NEW.person_id;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION erase_account() FROM PUBLIC;
