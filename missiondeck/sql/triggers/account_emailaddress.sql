-- An address that is not confirmed makes no one an assignee.
CREATE OR REPLACE TRIGGER account_emailaddress_confirm_assignee AFTER INSERT OR DELETE OR UPDATE OF verified, email
    ON account_emailaddress FOR EACH ROW EXECUTE FUNCTION confirm_deck_assignee();
