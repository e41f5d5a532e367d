-- Row security and privileges of tags, notes and custom fields: only the site reads and writes them.
ALTER TABLE tags ENABLE ROW LEVEL SECURITY;
ALTER TABLE tags FORCE ROW LEVEL SECURITY;
ALTER TABLE taggings ENABLE ROW LEVEL SECURITY;
ALTER TABLE taggings FORCE ROW LEVEL SECURITY;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
ALTER TABLE custom_fields ENABLE ROW LEVEL SECURITY;
ALTER TABLE custom_fields FORCE ROW LEVEL SECURITY;
ALTER TABLE custom_values ENABLE ROW LEVEL SECURITY;
ALTER TABLE custom_values FORCE ROW LEVEL SECURITY;

CREATE POLICY tags_owner ON tags TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY taggings_owner ON taggings TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY notes_owner ON notes TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY custom_fields_owner ON custom_fields TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY custom_values_owner ON custom_values TO CURRENT_USER USING (true) WITH CHECK (true);

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') OR current_user = 'missionsite_app' THEN
        RETURN;
    END IF;
    CREATE POLICY tags_site ON tags TO missionsite_app USING (true) WITH CHECK (true);
    CREATE POLICY taggings_site ON taggings TO missionsite_app USING (true) WITH CHECK (true);
    CREATE POLICY notes_site ON notes TO missionsite_app USING (true) WITH CHECK (true);
    CREATE POLICY custom_fields_site ON custom_fields TO missionsite_app USING (true) WITH CHECK (true);
    CREATE POLICY custom_values_site ON custom_values TO missionsite_app USING (true) WITH CHECK (true);
    REVOKE DELETE ON custom_fields FROM missionsite_app;
    GRANT DELETE ON tags, taggings, notes, custom_values TO missionsite_app;
END $$;
