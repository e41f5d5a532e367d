-- updated_at follows every change of a template.
CREATE OR REPLACE TRIGGER message_templates_touch_updated_at BEFORE UPDATE ON message_templates
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
