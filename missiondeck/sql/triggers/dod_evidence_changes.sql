-- Notices follow items that evidence reopened.
CREATE OR REPLACE TRIGGER dod_evidence_changes_notice AFTER INSERT ON dod_evidence_changes
    FOR EACH ROW WHEN (NOT NEW.completed) EXECUTE FUNCTION record_deck_notice();
