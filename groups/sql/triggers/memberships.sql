-- An active membership needs an open group; every statement is counted.
CREATE OR REPLACE TRIGGER memberships_open_group BEFORE INSERT ON memberships
    FOR EACH ROW WHEN (NEW.status = 'active') EXECUTE FUNCTION check_open_group('memberships_open_group');
CREATE OR REPLACE TRIGGER memberships_open_group_change BEFORE UPDATE ON memberships
    FOR EACH ROW
    WHEN (NEW.status = 'active' AND (OLD.status <> 'active' OR OLD.group_id <> NEW.group_id))
    EXECUTE FUNCTION check_open_group('memberships_open_group');
CREATE OR REPLACE TRIGGER memberships_count_added AFTER INSERT ON memberships
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_memberships();
CREATE OR REPLACE TRIGGER memberships_count_changed AFTER UPDATE ON memberships
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_memberships();
CREATE OR REPLACE TRIGGER memberships_count_removed AFTER DELETE ON memberships
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_memberships();
CREATE OR REPLACE TRIGGER memberships_count_truncated AFTER TRUNCATE ON memberships
    FOR EACH STATEMENT EXECUTE FUNCTION reset_counts();
