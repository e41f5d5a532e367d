-- Evidence of items: what it may be while, and what follows from it.
CREATE OR REPLACE TRIGGER dod_evidence_closed BEFORE INSERT OR UPDATE OF signed_at, removed_at ON dod_evidence
    FOR EACH ROW EXECUTE FUNCTION check_dod_evidence_open();
CREATE OR REPLACE TRIGGER dod_evidence_follow AFTER INSERT OR UPDATE OF signed_at, removed_at, observed ON dod_evidence
    FOR EACH ROW EXECUTE FUNCTION follow_dod_evidence();
