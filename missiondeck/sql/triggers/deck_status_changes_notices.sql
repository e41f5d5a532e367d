-- Notices follow completions.
CREATE OR REPLACE TRIGGER deck_status_changes_notice AFTER INSERT ON deck_status_changes
    FOR EACH ROW WHEN (NEW.to_status = 'complete') EXECUTE FUNCTION record_deck_notice();
