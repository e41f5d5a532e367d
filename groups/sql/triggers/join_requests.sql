-- A request is for an active mission that the member does not belong to; what was decided never changes.
CREATE OR REPLACE TRIGGER join_requests_check BEFORE INSERT ON join_requests
    FOR EACH ROW EXECUTE FUNCTION check_join_request();
CREATE OR REPLACE TRIGGER join_requests_guard BEFORE UPDATE ON join_requests
    FOR EACH ROW EXECUTE FUNCTION guard_join_requests();
