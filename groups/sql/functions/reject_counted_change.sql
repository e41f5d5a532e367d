-- Rejects a change of counted columns; the room and the other metadata may be emptied when personal data is erased.
CREATE OR REPLACE FUNCTION reject_counted_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'participation % was already counted', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'member_participation_is_counted';
END $$;
