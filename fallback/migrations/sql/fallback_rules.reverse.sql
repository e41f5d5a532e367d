-- Drops the functions and triggers of guardrails, counts and the check. Rows are not changed.
DROP FUNCTION due_fallback_projects(timestamptz), drifted_missions(), drifted_fallback_runs();
DROP TRIGGER mission_fallback_runs_publish ON mission_fallback_runs;
DROP TRIGGER mission_fallback_runs_publish_new ON mission_fallback_runs;
DROP TRIGGER mission_fallback_runs_derive ON mission_fallback_runs;
DROP TRIGGER missions_exclusive_lock ON missions;
DROP TRIGGER missions_shared_lock ON missions;
DROP TRIGGER mission_dependencies_shared_lock ON mission_dependencies;
DROP TRIGGER projects_exclusive_lock ON projects;
DROP TRIGGER mission_fallback_runs_exclusive_lock ON mission_fallback_runs;
DROP TRIGGER mission_fallback_items_shared_lock ON mission_fallback_items;
DROP TRIGGER mission_fallback_items_count_truncated ON mission_fallback_items;
DROP TRIGGER mission_fallback_items_count_gone ON mission_fallback_items;
DROP TRIGGER mission_fallback_items_count_changed ON mission_fallback_items;
DROP TRIGGER mission_fallback_items_count_new ON mission_fallback_items;
DROP TRIGGER missions_project_immutable ON missions;
DROP TRIGGER missions_origin_immutable ON missions;
DROP TRIGGER mission_fallback_items_mission_links_back ON mission_fallback_items;
DROP TRIGGER missions_fallback_was_accepted ON missions;
DROP TRIGGER mission_fallback_items_spend ON mission_fallback_items;
DROP FUNCTION publish_fallback_run(), derive_fallback_run(), take_exclusive_fallback_lock(), take_shared_fallback_lock(),
    reset_fallback_counts(), count_fallback_items(), reject_mission_origin_change(), reject_mission_project_change(), check_fallback_mission(),
    spend_allowance();
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        GRANT INSERT, UPDATE, DELETE ON mission_fallback_allowances TO missionsite_app;
    END IF;
END $$;
