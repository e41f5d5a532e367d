-- Drops the guardrails, the counting and the check; the rows stay as they are.
DROP FUNCTION due_fallback_projects(timestamptz), drifted_missions(), drifted_fallback_runs();
DROP TRIGGER mission_fallback_runs_publish ON mission_fallback_runs;
DROP TRIGGER mission_fallback_runs_publish_new ON mission_fallback_runs;
DROP TRIGGER mission_fallback_runs_keep ON mission_fallback_runs;
DROP TRIGGER missions_close ON missions;
DROP TRIGGER missions_share ON missions;
DROP TRIGGER mission_dependencies_share ON mission_dependencies;
DROP TRIGGER projects_close ON projects;
DROP TRIGGER mission_fallback_runs_close ON mission_fallback_runs;
DROP TRIGGER mission_fallback_items_share ON mission_fallback_items;
DROP TRIGGER mission_fallback_items_count_truncated ON mission_fallback_items;
DROP TRIGGER mission_fallback_items_count_gone ON mission_fallback_items;
DROP TRIGGER mission_fallback_items_count_changed ON mission_fallback_items;
DROP TRIGGER mission_fallback_items_count_new ON mission_fallback_items;
DROP TRIGGER missions_project_never_changes ON missions;
DROP TRIGGER missions_origin_never_changes ON missions;
DROP TRIGGER mission_fallback_items_know_mission ON mission_fallback_items;
DROP TRIGGER missions_fallback_was_accepted ON missions;
DROP TRIGGER mission_fallback_items_spend ON mission_fallback_items;
DROP FUNCTION publish_fallback_run(), keep_fallback_run(), close_fallback_rows(), share_fallback_rows(),
    forget_fallback_counts(), count_fallback_items(), keep_mission_origin(), keep_mission_project(), check_fallback_mission(),
    spend_allowance();
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        GRANT INSERT, UPDATE, DELETE ON mission_fallback_allowances TO missionsite_app;
    END IF;
END $$;
