-- Row security and privileges of merges and possible duplicates: only the site reads and writes them.
ALTER TABLE member_merges ENABLE ROW LEVEL SECURITY;
ALTER TABLE member_merges FORCE ROW LEVEL SECURITY;
ALTER TABLE member_merge_rows ENABLE ROW LEVEL SECURITY;
ALTER TABLE member_merge_rows FORCE ROW LEVEL SECURITY;
ALTER TABLE possible_duplicates ENABLE ROW LEVEL SECURITY;
ALTER TABLE possible_duplicates FORCE ROW LEVEL SECURITY;

CREATE POLICY member_merges_owner ON member_merges TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY member_merge_rows_owner ON member_merge_rows TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY possible_duplicates_owner ON possible_duplicates TO CURRENT_USER USING (true) WITH CHECK (true);

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') OR current_user = 'missionsite_app' THEN
        RETURN;
    END IF;
    CREATE POLICY member_merges_site ON member_merges TO missionsite_app USING (true) WITH CHECK (true);
    CREATE POLICY member_merge_rows_site ON member_merge_rows TO missionsite_app USING (true) WITH CHECK (true);
    CREATE POLICY possible_duplicates_site ON possible_duplicates TO missionsite_app USING (true) WITH CHECK (true);
    REVOKE DELETE ON member_merges, possible_duplicates FROM missionsite_app;
    REVOKE UPDATE, DELETE ON member_merge_rows FROM missionsite_app;
END $$;
