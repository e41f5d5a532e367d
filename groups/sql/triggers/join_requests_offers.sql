-- An offered place is free.
CREATE OR REPLACE TRIGGER join_requests_offer_added AFTER INSERT ON join_requests
    FOR EACH ROW WHEN (NEW.status = 'offered') EXECUTE FUNCTION check_offer();
CREATE OR REPLACE TRIGGER join_requests_offer_made AFTER UPDATE ON join_requests
    FOR EACH ROW WHEN (NEW.status = 'offered' AND OLD.status <> 'offered') EXECUTE FUNCTION check_offer();
