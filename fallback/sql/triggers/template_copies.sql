-- Sets updated_at when a row changes.
CREATE OR REPLACE TRIGGER template_copies_touch_updated_at BEFORE UPDATE ON template_copies
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
