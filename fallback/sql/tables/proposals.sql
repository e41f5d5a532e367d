-- Foreign keys over two columns: a proposal, its run, its template and their links are of one project.
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
-- The link of the column that was added to an existing table.
ALTER TABLE missions
    DROP CONSTRAINT missions_fallback_item_id_f64fb2e8_fk_mission_fallback_items_id,
    ADD CONSTRAINT missions_fallback_item_id_f64fb2e8_fk_mission_fallback_items_id FOREIGN KEY (fallback_item_id)
        REFERENCES mission_fallback_items (id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;
