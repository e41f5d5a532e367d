-- Rejects a change of a mission's origin: reports count missions by it.
CREATE OR REPLACE FUNCTION reject_mission_origin_change() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'the origin of mission % is immutable', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'missions_origin_immutable';
END $$;
