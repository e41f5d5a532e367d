-- Moves rows that the previous schema cannot hold to backup tables. Migrating forward restores them.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['mission_fallback_configs', 'mission_fallback_templates', 'mission_fallback_runs',
        'mission_fallback_items', 'mission_fallback_allowances', 'mission_fallback_samples'] LOOP
        IF to_regclass(name || '_backup') IS NULL THEN
            EXECUTE format('CREATE TABLE %I AS TABLE %I', name || '_backup', name);
        ELSE
            EXECUTE format('INSERT INTO %I SELECT * FROM %I', name || '_backup', name);
        END IF;
    END LOOP;
END $$;
CREATE TABLE fallback_missions_backup AS
    SELECT id, origin, fallback_item_id FROM missions WHERE origin <> 'manual' OR fallback_item_id IS NOT NULL;
CREATE TABLE fallback_events_backup AS SELECT id, origin FROM mission_events WHERE origin <> 'system';
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE ALL ON mission_fallback_configs_backup, mission_fallback_templates_backup,
            mission_fallback_runs_backup, mission_fallback_items_backup, mission_fallback_allowances_backup,
            mission_fallback_samples_backup, fallback_missions_backup, fallback_events_backup
            FROM missionsite_app;
    END IF;
END $$;
ALTER TABLE mission_fallback_items DROP CONSTRAINT fallback_items_run_of_project,
    DROP CONSTRAINT fallback_items_template_of_project, DROP CONSTRAINT fallback_items_flow_of_project,
    DROP CONSTRAINT fallback_items_actor_of_project, DROP CONSTRAINT fallback_items_repository_of_project;
ALTER TABLE mission_fallback_templates DROP CONSTRAINT fallback_templates_flow_of_project,
    DROP CONSTRAINT fallback_templates_actor_of_project, DROP CONSTRAINT fallback_templates_repository_of_project;
ALTER TABLE mission_fallback_runs DROP CONSTRAINT mission_fallback_runs_of_project;
ALTER TABLE mission_fallback_templates DROP CONSTRAINT mission_fallback_templates_of_project;
