-- Foreign keys that keep a proposal, its run, its template and their links within one project.
ALTER TABLE mission_fallback_templates ADD CONSTRAINT mission_fallback_templates_of_project UNIQUE (id, project_id);
ALTER TABLE mission_fallback_runs ADD CONSTRAINT mission_fallback_runs_of_project UNIQUE (id, project_id);
ALTER TABLE mission_fallback_templates
    ADD CONSTRAINT fallback_templates_flow_of_project FOREIGN KEY (flow_id, project_id)
        REFERENCES flows (id, project_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT fallback_templates_actor_of_project FOREIGN KEY (actor_id, project_id)
        REFERENCES actors (id, project_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT fallback_templates_repository_of_project FOREIGN KEY (repository_id, project_id)
        REFERENCES project_repositories (id, project_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE mission_fallback_items
    ADD CONSTRAINT fallback_items_run_of_project FOREIGN KEY (mission_fallback_run_id, project_id)
        REFERENCES mission_fallback_runs (id, project_id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT fallback_items_template_of_project FOREIGN KEY (template_id, project_id)
        REFERENCES mission_fallback_templates (id, project_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT fallback_items_flow_of_project FOREIGN KEY (flow_id, project_id)
        REFERENCES flows (id, project_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT fallback_items_actor_of_project FOREIGN KEY (actor_id, project_id)
        REFERENCES actors (id, project_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT fallback_items_repository_of_project FOREIGN KEY (repository_id, project_id)
        REFERENCES project_repositories (id, project_id) DEFERRABLE INITIALLY DEFERRED;

SELECT set_on_delete(t, 'project_id', 'CASCADE') FROM (VALUES
    ('mission_fallback_configs'), ('mission_fallback_templates'), ('mission_fallback_runs'),
    ('mission_fallback_items'), ('mission_fallback_allowances'), ('mission_fallback_samples')
) AS links (t);
SELECT set_on_delete(t, c, 'SET NULL') FROM (VALUES
    ('missions', 'fallback_item_id'), ('mission_fallback_items', 'mission_id'),
    ('mission_fallback_items', 'duplicate_of_id')
) AS links (t, c);

-- Restores rows from backup tables of an earlier backward migration. Rows whose links are gone stay in the backup.
DO $$
DECLARE
    name text;
    columns text;
    remaining bigint;
BEGIN
    IF to_regclass('fallback_missions_backup') IS NULL THEN
        RETURN;
    END IF;
    FOREACH name IN ARRAY ARRAY['mission_fallback_configs', 'mission_fallback_templates', 'mission_fallback_runs',
        'mission_fallback_items', 'mission_fallback_allowances', 'mission_fallback_samples'] LOOP
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns FROM pg_attribute
        WHERE attrelid = (name || '_backup')::regclass AND attnum > 0 AND NOT attisdropped;
        EXECUTE format(
            'WITH restored AS (DELETE FROM %1$I s WHERE EXISTS (SELECT FROM projects p WHERE p.id = s.project_id)%3$s RETURNING *)
             INSERT INTO %2$I (%4$s) OVERRIDING SYSTEM VALUE SELECT %4$s FROM restored',
            name || '_backup', name,
            CASE name
                WHEN 'mission_fallback_templates' THEN
                    ' AND EXISTS (SELECT FROM flows f WHERE f.id = s.flow_id)
                      AND EXISTS (SELECT FROM actors a WHERE a.id = s.actor_id)
                      AND EXISTS (SELECT FROM project_repositories r WHERE r.id = s.repository_id)'
                WHEN 'mission_fallback_items' THEN
                    ' AND EXISTS (SELECT FROM mission_fallback_templates t WHERE t.id = s.template_id)
                      AND EXISTS (SELECT FROM mission_fallback_runs u WHERE u.id = s.mission_fallback_run_id)
                      AND EXISTS (SELECT FROM flows f WHERE f.id = s.flow_id)
                      AND EXISTS (SELECT FROM actors a WHERE a.id = s.actor_id)
                      AND EXISTS (SELECT FROM project_repositories r WHERE r.id = s.repository_id)'
                ELSE '' END,
            columns);
    END LOOP;
    UPDATE mission_fallback_items i SET mission_id = NULL
    WHERE mission_id IS NOT NULL AND NOT EXISTS (SELECT FROM missions m WHERE m.id = i.mission_id);
    UPDATE mission_fallback_items i SET duplicate_of_id = NULL
    WHERE duplicate_of_id IS NOT NULL AND NOT EXISTS (SELECT FROM missions m WHERE m.id = i.duplicate_of_id);
    UPDATE mission_fallback_items i SET reviewed_by_id = NULL
    WHERE reviewed_by_id IS NOT NULL AND NOT EXISTS (SELECT FROM members p WHERE p.id = i.reviewed_by_id);
    UPDATE mission_fallback_runs u SET started_by_id = NULL
    WHERE started_by_id IS NOT NULL AND NOT EXISTS (SELECT FROM members p WHERE p.id = u.started_by_id);
    -- Excludes proposals that stay in the backup from the counts.
    UPDATE mission_fallback_runs u
    SET generated_count = c.every, accepted_count = c.accepted, discarded_count = c.discarded
    FROM (
        SELECT r.id, count(i.id) AS every, count(i.id) FILTER (WHERE i.status = 'accepted') AS accepted,
            count(i.id) FILTER (WHERE i.status = 'discarded') AS discarded
        FROM mission_fallback_runs r LEFT JOIN mission_fallback_items i ON i.mission_fallback_run_id = r.id GROUP BY r.id
    ) c
    WHERE u.id = c.id
      AND (u.generated_count, u.accepted_count, u.discarded_count) <> (c.every, c.accepted, c.discarded);
    UPDATE missions m SET origin = s.origin,
        fallback_item_id = (SELECT i.id FROM mission_fallback_items i WHERE i.id = s.fallback_item_id)
    FROM fallback_missions_backup s WHERE s.id = m.id;
    UPDATE mission_events e SET origin = s.origin FROM fallback_events_backup s WHERE s.id = e.id;
    DROP TABLE fallback_missions_backup, fallback_events_backup;
    PERFORM setval(pg_get_serial_sequence('mission_fallback_samples', 'id'), max(id)) FROM mission_fallback_samples
        HAVING max(id) IS NOT NULL;
    FOREACH name IN ARRAY ARRAY['mission_fallback_configs', 'mission_fallback_templates', 'mission_fallback_runs',
        'mission_fallback_items', 'mission_fallback_allowances', 'mission_fallback_samples'] LOOP
        EXECUTE format('SELECT count(*) FROM %I', name || '_backup') INTO remaining;
        IF remaining = 0 THEN
            EXECUTE format('DROP TABLE %I', name || '_backup');
        ELSE
            RAISE NOTICE '% rows of % refer to deleted rows and stay in %_backup', remaining, name, name;
        END IF;
    END LOOP;
END $$;
