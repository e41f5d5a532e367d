-- An item with evidence follows it.
CREATE OR REPLACE TRIGGER dod_items_evidence BEFORE UPDATE OF completed ON dod_items
    FOR EACH ROW WHEN (OLD.completed <> NEW.completed) EXECUTE FUNCTION check_dod_evidence();
