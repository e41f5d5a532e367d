-- Row security and privileges of the addresses: triggers write them, members read their own, and the site verifies them.
ALTER TABLE member_addresses ENABLE ROW LEVEL SECURITY;
ALTER TABLE member_addresses FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE member_addresses IS 'Addresses of members per channel, from account, directory entry and profile.';
COMMENT ON COLUMN member_addresses.verified_at IS 'When it was proven that the address belongs to the member.';

CREATE POLICY member_addresses_owner ON member_addresses TO CURRENT_USER USING (true) WITH CHECK (true);

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') OR current_user = 'missionsite_app' THEN
        RETURN;
    END IF;
    CREATE POLICY member_addresses_site ON member_addresses TO missionsite_app USING (true) WITH CHECK (true);
    REVOKE INSERT, UPDATE, DELETE ON member_addresses FROM missionsite_app;
    GRANT UPDATE (verified_at) ON member_addresses TO missionsite_app;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_member') THEN
        RETURN;
    END IF;
    GRANT SELECT ON member_addresses TO missionsite_member;
    CREATE POLICY member_addresses_own ON member_addresses FOR SELECT TO missionsite_member
        USING (user_id = current_member_id());
END $$;
