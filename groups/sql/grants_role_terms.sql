-- The column of roles with a term is part of a row that a member inserts; their role is Member, which has none.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app')
        AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_member') AND current_user <> 'missionsite_app' THEN
        GRANT INSERT (role_until) ON memberships TO missionsite_member;
    END IF;
END $$;
