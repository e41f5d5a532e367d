-- A mission has at most its maximum of members and offered places.
CREATE OR REPLACE TRIGGER memberships_places_added AFTER INSERT ON memberships
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION check_new_members();
CREATE OR REPLACE TRIGGER memberships_places_changed AFTER UPDATE ON memberships
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION check_new_members();
