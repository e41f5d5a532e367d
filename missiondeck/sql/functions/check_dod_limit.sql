-- A mission has at most 1,000 items. Services lock the mission before they add one; concurrent statements of others may
-- exceed the limit by what each of them adds.
CREATE OR REPLACE FUNCTION check_dod_limit() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF EXISTS (
        SELECT FROM dod_items WHERE mission_id IN (SELECT mission_id FROM new_rows)
        GROUP BY mission_id HAVING count(*) > 1000
    ) THEN
        RAISE EXCEPTION 'a mission has at most 1,000 items'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'dod_items_limit';
    END IF;
    RETURN NULL;
END $$;
