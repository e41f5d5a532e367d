-- Reports a status change that a message may not make; its trigger lists those allowed.
CREATE OR REPLACE FUNCTION reject_message_move() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'message % is % and cannot become %', OLD.id, OLD.status, NEW.status
        USING ERRCODE = 'check_violation', CONSTRAINT = 'engagement_message_queue_moves';
END $$;
