-- Deletes the tags, notes and custom values of a person whose directory entry is erased.
CREATE OR REPLACE FUNCTION erase_details() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    DELETE FROM taggings WHERE entry_id = NEW.id OR member_id = NEW.person_id;
    DELETE FROM notes WHERE entry_id = NEW.id OR member_id = NEW.person_id;
    DELETE FROM custom_values WHERE entry_id = NEW.id OR member_id = NEW.person_id;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION erase_details() FROM PUBLIC;
