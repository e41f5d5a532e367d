-- A member gets a stable ID, which is never changed or reused, and updated_at follows every change but a login.
CREATE OR REPLACE TRIGGER members_assign_stable_id BEFORE INSERT ON members
    FOR EACH ROW EXECUTE FUNCTION assign_member_id();
CREATE OR REPLACE TRIGGER members_reject_stable_id_change BEFORE UPDATE ON members
    FOR EACH ROW WHEN (OLD.member_id IS DISTINCT FROM NEW.member_id) EXECUTE FUNCTION reject_member_id_change();
CREATE OR REPLACE TRIGGER members_retire_stable_id AFTER DELETE ON members
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION retire_stable_ids();
CREATE OR REPLACE TRIGGER members_reject_retired_stable_id AFTER INSERT ON members
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION reject_retired_stable_ids();
-- A login does not change updated_at.
CREATE OR REPLACE TRIGGER members_touch_updated_at BEFORE UPDATE ON members
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.* AND OLD.last_login IS NOT DISTINCT FROM NEW.last_login)
    EXECUTE FUNCTION touch_updated_at();
