-- Missions are assigned by e-mail address, so new members, new addresses and staff accounts change assignees.
CREATE OR REPLACE TRIGGER members_assign_deck_missions AFTER INSERT ON members
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION assign_deck_missions_to_new_members();
CREATE OR REPLACE TRIGGER members_update_deck_missions AFTER UPDATE OF email ON members
    FOR EACH ROW WHEN (OLD.email IS DISTINCT FROM NEW.email) EXECUTE FUNCTION update_deck_missions_of_member();
CREATE OR REPLACE TRIGGER members_staff_in_deck AFTER UPDATE OF is_staff ON members
    FOR EACH ROW WHEN (OLD.is_staff <> NEW.is_staff) EXECUTE FUNCTION update_deck_assignees_of_staff();
