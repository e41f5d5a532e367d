-- A profile has a known time zone, and pending messages follow its destination.
CREATE OR REPLACE TRIGGER user_profiles_touch_updated_at BEFORE UPDATE ON user_profiles
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
CREATE OR REPLACE TRIGGER user_profiles_timezone_inserted BEFORE INSERT ON user_profiles
    FOR EACH ROW WHEN (NEW.timezone <> 'UTC') EXECUTE FUNCTION check_profile_timezone();
CREATE OR REPLACE TRIGGER user_profiles_timezone_changed BEFORE UPDATE ON user_profiles
    FOR EACH ROW WHEN (OLD.timezone <> NEW.timezone) EXECUTE FUNCTION check_profile_timezone();
CREATE OR REPLACE TRIGGER user_profiles_redirect AFTER UPDATE ON user_profiles
    FOR EACH ROW
    WHEN ((OLD.preferred_destination, OLD.individual_jid, OLD.group_jid)
        IS DISTINCT FROM (NEW.preferred_destination, NEW.individual_jid, NEW.group_jid))
    EXECUTE FUNCTION redirect_pending_messages();
