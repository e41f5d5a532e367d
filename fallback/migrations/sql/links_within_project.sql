-- Foreign keys within a project, and cascading deletions, also for raw SQL.

-- Recreates the foreign key of a column with ON DELETE CASCADE or SET NULL.
CREATE FUNCTION set_on_delete(of_table text, of_column text, action text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    found record;
BEGIN
    SELECT c.conname, c.confrelid::regclass AS target INTO STRICT found
    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.conrelid = of_table::regclass AND c.contype = 'f' AND cardinality(c.conkey) = 1 AND a.attname = of_column;
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', of_table, found.conname);
    EXECUTE format(
        'ALTER TABLE %I ADD CONSTRAINT %I FOREIGN KEY (%I) REFERENCES %s (id) ON DELETE %s DEFERRABLE INITIALLY DEFERRED',
        of_table, found.conname, of_column, found.target, action);
END $$;

ALTER TABLE flows ADD CONSTRAINT flows_of_project UNIQUE (id, project_id);
ALTER TABLE actors ADD CONSTRAINT actors_of_project UNIQUE (id, project_id);
ALTER TABLE project_repositories ADD CONSTRAINT project_repositories_of_project UNIQUE (id, project_id);
ALTER TABLE missions
    ADD CONSTRAINT missions_flow_of_project FOREIGN KEY (flow_id, project_id)
        REFERENCES flows (id, project_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT missions_actor_of_project FOREIGN KEY (actor_id, project_id)
        REFERENCES actors (id, project_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT missions_repository_of_project FOREIGN KEY (repository_id, project_id)
        REFERENCES project_repositories (id, project_id) DEFERRABLE INITIALLY DEFERRED;

SELECT set_on_delete(t, c, 'CASCADE') FROM (VALUES
    ('organization_memberships', 'organization_id'), ('project_members', 'project_id'),
    ('project_stars', 'project_id'), ('project_repositories', 'project_id'), ('project_activity', 'project_id'),
    ('flows', 'project_id'), ('actors', 'project_id'), ('missions', 'project_id'),
    ('mission_dependencies', 'mission_id'), ('mission_dependencies', 'depends_on_id'),
    ('mission_events', 'project_id'), ('mission_events', 'mission_id'), ('code_agent_sessions', 'mission_id'),
    ('github_pull_requests', 'mission_id'), ('github_pr_comments', 'pull_request_id'),
    ('workstations', 'organization_id'), ('project_workstations', 'project_id'),
    ('project_workstations', 'workstation_id'), ('workstation_sessions', 'workstation_id'),
    ('workstation_repositories', 'workstation_id'), ('workstation_repositories', 'repository_id'),
    ('workstation_worktrees', 'workstation_id'), ('workstation_worktrees', 'repository_id'),
    ('notifications', 'project_id'), ('notifications', 'mission_id'), ('access_requests', 'project_id'),
    ('notification_preferences', 'organization_id')
) AS links (t, c);
SELECT set_on_delete(t, c, 'SET NULL') FROM (VALUES
    ('code_agent_sessions', 'workstation_id'), ('workstation_worktrees', 'mission_id')
) AS links (t, c);
