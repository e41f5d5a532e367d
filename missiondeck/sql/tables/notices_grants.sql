-- What the role of the site may not write: notices are processed once, webhooks are revoked, and nothing is deleted.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE UPDATE, DELETE ON deck_notices FROM missionsite_app;
        GRANT UPDATE (processed_at) ON deck_notices TO missionsite_app;
        REVOKE UPDATE, DELETE ON deck_webhooks FROM missionsite_app;
        GRANT UPDATE (revoked_at) ON deck_webhooks TO missionsite_app;
        REVOKE DELETE ON deck_deliveries FROM missionsite_app;
    END IF;
END $$;
