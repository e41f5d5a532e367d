-- Assigns the stable ID of a new row, or claims the given one. TG_ARGV[0] is the type letter.
CREATE OR REPLACE FUNCTION assign_stable_id() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF coalesce(NEW.stable_id, '') = '' THEN
        NEW.stable_id := next_stable_id(TG_ARGV[0]::"char");
    ELSE
        PERFORM claim_stable_id(TG_ARGV[0]::"char", NEW.stable_id);
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION assign_stable_id() FROM PUBLIC;
