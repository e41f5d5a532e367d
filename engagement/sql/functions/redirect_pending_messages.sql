-- Updates the destination of pending messages when a profile changes; only announcements go to a group chat. Claimed
-- messages keep theirs; the rows are locked first, so that a concurrent claim is seen.
CREATE OR REPLACE FUNCTION redirect_pending_messages() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM 1 FROM engagement_message_queue
    WHERE user_id = NEW.user_id AND status IN ('pending', 'failed') AND id NOT IN (SELECT h.id FROM claimed_messages() h)
    FOR NO KEY UPDATE;
    UPDATE engagement_message_queue
    SET destination = CASE message_type WHEN 'announcement' THEN NEW.preferred_destination ELSE 'individual' END,
        destination_jid = CASE WHEN message_type = 'announcement' AND NEW.preferred_destination = 'group'
            THEN NEW.group_jid ELSE NEW.individual_jid END
    WHERE user_id = NEW.user_id AND status IN ('pending', 'failed')
        AND id NOT IN (SELECT h.id FROM claimed_messages() h);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION redirect_pending_messages() FROM PUBLIC;
