-- Drops the triggers and functions of missions. Rows are not changed.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        GRANT UPDATE, DELETE ON mission_events, project_activity, audit_events TO missionsite_app;
    END IF;
END $$;
DROP TRIGGER missions_count_dependents ON missions;
DROP TRIGGER mission_dependencies_count_gone ON mission_dependencies;
DROP TRIGGER mission_dependencies_count_changed ON mission_dependencies;
DROP TRIGGER mission_dependencies_count_new ON mission_dependencies;
DROP TRIGGER mission_dependencies_no_cycle ON mission_dependencies;
DROP TRIGGER missions_record_changes ON missions;
DROP TRIGGER missions_record_new ON missions;
DROP TRIGGER missions_touch ON missions;
DROP TRIGGER missions_touch_new ON missions;
DROP TRIGGER organizations_timezone_valid ON organizations;
DROP FUNCTION count_dependents(), count_dependencies(), recount_dependencies(text[]), check_dependency(),
    record_mission_changes(), record_new_missions(), touch_mission(), check_organization_timezone();
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['organizations', 'organization_memberships', 'project_members',
        'project_repositories', 'flows', 'actors', 'github_pull_requests', 'workstations', 'workstation_worktrees',
        'notification_preferences', 'access_requests', 'mission_fallback_configs', 'mission_fallback_templates',
        'mission_fallback_items'] LOOP
        EXECUTE format('DROP TRIGGER %I ON %I', name || '_touch_updated_at', name);
    END LOOP;
END $$;
DROP TRIGGER projects_touch_updated_at ON projects;
DROP FUNCTION touch_project(), audit_actor();
