-- The e-mail of an account is an address of its member. The name sorts after that of the trigger that creates the profile.
CREATE OR REPLACE TRIGGER members_sync_addresses AFTER INSERT ON members
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION sync_new_addresses('id');
CREATE OR REPLACE TRIGGER members_addresses_changed AFTER UPDATE OF email, merged_into_id ON members
    FOR EACH ROW WHEN ((OLD.email, OLD.merged_into_id) IS DISTINCT FROM (NEW.email, NEW.merged_into_id))
    EXECUTE FUNCTION sync_addresses('id');
