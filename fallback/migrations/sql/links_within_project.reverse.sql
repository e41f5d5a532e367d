-- Drops what the reverse migration of the tables would leave.
ALTER TABLE missions DROP CONSTRAINT missions_flow_of_project, DROP CONSTRAINT missions_actor_of_project,
    DROP CONSTRAINT missions_repository_of_project;
ALTER TABLE project_repositories DROP CONSTRAINT project_repositories_of_project;
ALTER TABLE actors DROP CONSTRAINT actors_of_project;
ALTER TABLE flows DROP CONSTRAINT flows_of_project;
DROP FUNCTION set_on_delete(text, text, text);
