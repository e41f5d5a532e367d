-- What the role of the site may not write: costs are removed by a time, and not changed otherwise.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE UPDATE, DELETE ON deck_costs FROM missionsite_app;
        GRANT UPDATE (removed_at) ON deck_costs TO missionsite_app;
    END IF;
END $$;
