-- A merge leads to a person who was not merged.
CREATE OR REPLACE TRIGGER members_merge_target BEFORE UPDATE OF merged_into_id ON members
    FOR EACH ROW WHEN (NEW.merged_into_id IS NOT NULL) EXECUTE FUNCTION guard_member_merge();
