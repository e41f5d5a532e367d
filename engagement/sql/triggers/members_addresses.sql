-- The e-mail of an account is an address of its member.
CREATE OR REPLACE TRIGGER members_addresses_added AFTER INSERT ON members
    FOR EACH ROW EXECUTE FUNCTION sync_addresses('id');
CREATE OR REPLACE TRIGGER members_addresses_changed AFTER UPDATE OF email, merged_into_id ON members
    FOR EACH ROW WHEN ((OLD.email, OLD.merged_into_id) IS DISTINCT FROM (NEW.email, NEW.merged_into_id))
    EXECUTE FUNCTION sync_addresses('id');
