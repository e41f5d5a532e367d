-- A message is in one claim at a time.
CREATE OR REPLACE TRIGGER engagement_claims_exclusive AFTER INSERT ON engagement_claims
    FOR EACH ROW EXECUTE FUNCTION reject_double_claim();
