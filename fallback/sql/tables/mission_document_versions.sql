-- The site adds versions, and empties earlier ones; it deletes none.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE UPDATE, DELETE ON mission_document_versions FROM missionsite_app;
        GRANT UPDATE (content, removed_at) ON mission_document_versions TO missionsite_app;
    END IF;
END $$;
