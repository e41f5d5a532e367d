-- A constraint of deck_dod_templates that a model cannot declare, and what the role of the site may not write.
ALTER TABLE deck_dod_templates
    ADD CONSTRAINT deck_dod_templates_items_shape CHECK (dod_template_items_valid(items));
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE DELETE ON deck_dod_templates FROM missionsite_app;
    END IF;
END $$;
