-- The directory decides who may be an assignee; erasing a member erases their data in client missions.
CREATE OR REPLACE TRIGGER community_members_erased_in_deck AFTER UPDATE OF erased_at ON community_members
    FOR EACH ROW WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL AND NEW.person_id IS NOT NULL)
    EXECUTE FUNCTION erase_person_in_deck();
CREATE OR REPLACE TRIGGER community_members_assignees_new AFTER INSERT ON community_members
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION clear_deck_assignees_of_new_entries();
CREATE OR REPLACE TRIGGER community_members_assignees AFTER UPDATE ON community_members
    FOR EACH ROW WHEN (
        (OLD.status, OLD.deleted_at, OLD.person_id) IS DISTINCT FROM (NEW.status, NEW.deleted_at, NEW.person_id)
    )
    EXECUTE FUNCTION update_deck_assignees_of_entry();
