-- The definition of done of a mission has a limit.
CREATE OR REPLACE TRIGGER dod_items_limit AFTER INSERT ON dod_items
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION check_dod_limit();
