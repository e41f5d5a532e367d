-- Foreign keys over two columns: the flow, actor and repository of a mission are of its project.
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
