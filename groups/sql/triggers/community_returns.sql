-- A return is decided once.
CREATE OR REPLACE TRIGGER community_returns_guard BEFORE INSERT OR UPDATE ON community_returns
    FOR EACH ROW EXECUTE FUNCTION guard_community_returns();
