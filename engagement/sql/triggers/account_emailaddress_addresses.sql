-- Whether the e-mail of an account is verified follows the confirmation of its owner.
CREATE OR REPLACE TRIGGER account_emailaddress_addresses AFTER INSERT OR UPDATE OR DELETE ON account_emailaddress
    FOR EACH ROW EXECUTE FUNCTION sync_addresses('user_id');
