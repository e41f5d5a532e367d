-- Row security and privileges of the bounced addresses: only the site reads and writes them. Rows are deleted only by
-- erase_person_in_engagement.
ALTER TABLE bounced_addresses ENABLE ROW LEVEL SECURITY;
ALTER TABLE bounced_addresses FORCE ROW LEVEL SECURITY;

CREATE POLICY bounced_addresses_owner ON bounced_addresses TO CURRENT_USER USING (true) WITH CHECK (true);

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') OR current_user = 'missionsite_app' THEN
        RETURN;
    END IF;
    CREATE POLICY bounced_addresses_site ON bounced_addresses TO missionsite_app USING (true) WITH CHECK (true);
    REVOKE DELETE ON bounced_addresses FROM missionsite_app;
END $$;
