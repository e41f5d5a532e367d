-- Deletes the saved views of a person whose directory entry is erased: their names and filters are free text.
CREATE OR REPLACE FUNCTION erase_saved_views() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    DELETE FROM site_saved_views WHERE member_id = NEW.person_id;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION erase_saved_views() FROM PUBLIC;
