-- The individual chat of a profile is an address of its member.
CREATE OR REPLACE TRIGGER user_profiles_addresses_changed AFTER UPDATE OF individual_jid ON user_profiles
    FOR EACH ROW WHEN (OLD.individual_jid <> NEW.individual_jid) EXECUTE FUNCTION sync_addresses('user_id');
