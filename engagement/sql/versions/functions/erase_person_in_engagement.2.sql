-- Erases the engagement data of a person whose directory entry is erased, and cancels their unsent messages.
CREATE OR REPLACE FUNCTION erase_person_in_engagement() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE engagement_message_queue SET status = 'cancelled', error_message = 'Erased'
    WHERE user_id = NEW.person_id AND status IN ('pending', 'failed');
    UPDATE engagement_message_queue
    SET message_params = '{}', destination_jid = '', provider_message_id = '',
        error_message = CASE WHEN error_message = '' THEN '' ELSE 'Erased' END
    WHERE user_id = NEW.person_id;
    UPDATE user_profiles SET individual_jid = '', group_jid = '', reengagement_opt_out = true
    WHERE user_id = NEW.person_id;
    UPDATE user_profiles_history SET individual_jid = '', group_jid = '' WHERE user_id = NEW.person_id;
    DELETE FROM engagement_inbound_messages WHERE user_id = NEW.person_id;
    DELETE FROM bounced_addresses WHERE user_id = NEW.person_id;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION erase_person_in_engagement() FROM PUBLIC;
