-- The definition of done of a complete mission is locked.
CREATE OR REPLACE TRIGGER dod_items_closed BEFORE INSERT OR UPDATE OR DELETE ON dod_items
    FOR EACH ROW EXECUTE FUNCTION check_dod_open();
