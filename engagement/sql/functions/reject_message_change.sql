-- Rejects a change of a message's recipient, type or key: the provider may know it by them.
CREATE OR REPLACE FUNCTION reject_message_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'the recipient, type and key of message % cannot change', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'engagement_message_queue_immutable';
END $$;
