-- A merge leads to an entry that was not merged.
CREATE OR REPLACE TRIGGER community_members_merge_target BEFORE UPDATE OF merged_into ON community_members
    FOR EACH ROW WHEN (NEW.merged_into IS NOT NULL) EXECUTE FUNCTION guard_entry_merge();
