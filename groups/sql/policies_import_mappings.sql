-- Row security and privileges of the remembered columns of imports: only the site reads and writes them.
ALTER TABLE import_mappings ENABLE ROW LEVEL SECURITY;
ALTER TABLE import_mappings FORCE ROW LEVEL SECURITY;

CREATE POLICY import_mappings_owner ON import_mappings TO CURRENT_USER USING (true) WITH CHECK (true);

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') OR current_user = 'missionsite_app' THEN
        RETURN;
    END IF;
    CREATE POLICY import_mappings_site ON import_mappings TO missionsite_app USING (true) WITH CHECK (true);
    REVOKE DELETE ON import_mappings FROM missionsite_app;
END $$;
