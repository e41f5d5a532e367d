-- The Telegram ID and name of a directory entry are addresses of its member, however they were set.
CREATE OR REPLACE TRIGGER community_members_addresses_added AFTER INSERT ON community_members
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION sync_new_addresses('person_id');
CREATE OR REPLACE TRIGGER community_members_addresses_changed
    AFTER UPDATE OF person_id, telegram_id, telegram_username, erased_at ON community_members
    FOR EACH ROW WHEN ((OLD.person_id, OLD.telegram_id, OLD.telegram_username, OLD.erased_at)
        IS DISTINCT FROM (NEW.person_id, NEW.telegram_id, NEW.telegram_username, NEW.erased_at))
    EXECUTE FUNCTION sync_addresses('person_id');
