-- Runs after every migrate, as the owner of the schema; it may be repeated. The role that views the site as another
-- member may read the tables that the site's role may read, and nothing more.
DO $$
DECLARE
    relation record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_viewer')
        OR NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') OR current_user = 'missionsite_app' THEN
        RETURN;
    END IF;
    GRANT USAGE ON SCHEMA public TO missionsite_viewer;
    REVOKE ALL ON ALL TABLES IN SCHEMA public FROM missionsite_viewer;
    FOR relation IN
        SELECT c.oid::regclass AS name FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p')
            AND has_table_privilege('missionsite_app', c.oid, 'SELECT') AND pg_has_role(c.relowner, 'USAGE')
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO missionsite_viewer', relation.name);
    END LOOP;
    -- A question about one member, in the rules of client missions.
    IF to_regprocedure('may_be_deck_assignee(uuid)') IS NOT NULL THEN
        GRANT EXECUTE ON FUNCTION may_be_deck_assignee(uuid) TO missionsite_viewer;
    END IF;
END $$;
