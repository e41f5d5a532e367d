-- Bulk edits are part of the record of what happened: the site deletes only the logs of their rows, after their time.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE DELETE ON bulk_edits FROM missionsite_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON bulk_edit_rows TO missionsite_app;
    END IF;
END $$;
