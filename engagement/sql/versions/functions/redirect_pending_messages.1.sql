-- Updates the destination of pending messages when a profile changes. Claimed messages keep theirs; the rows are locked
-- first, so that a concurrent claim is seen.
CREATE OR REPLACE FUNCTION redirect_pending_messages() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM 1 FROM engagement_message_queue
    WHERE user_id = NEW.user_id AND status IN ('pending', 'failed') AND id NOT IN (SELECT h.id FROM claimed_messages() h)
    FOR NO KEY UPDATE;
    UPDATE engagement_message_queue
    SET destination = NEW.preferred_destination,
        destination_jid = CASE NEW.preferred_destination WHEN 'group' THEN NEW.group_jid ELSE NEW.individual_jid END
    WHERE user_id = NEW.user_id AND status IN ('pending', 'failed')
        AND id NOT IN (SELECT h.id FROM claimed_messages() h);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION redirect_pending_messages() FROM PUBLIC;
