-- What the role of the site may not write: what clients wrote is append-only, and links are revoked, not deleted.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE UPDATE, DELETE ON deck_client_signatures, deck_client_comments FROM missionsite_app;
        REVOKE DELETE ON deck_client_links, deck_client_codes FROM missionsite_app;
    END IF;
END $$;
