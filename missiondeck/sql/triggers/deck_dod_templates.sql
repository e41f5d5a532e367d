-- Templates of definitions of done: the time of the last change.
CREATE OR REPLACE TRIGGER deck_dod_templates_touch_updated_at BEFORE UPDATE ON deck_dod_templates
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
