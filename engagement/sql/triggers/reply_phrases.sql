-- updated_at follows every change of a phrase.
CREATE OR REPLACE TRIGGER reply_phrases_touch_updated_at BEFORE UPDATE ON reply_phrases
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
