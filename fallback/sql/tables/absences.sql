-- An assignment or star is removed; an absence ends.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE DELETE ON member_absences FROM missionsite_app;
        GRANT DELETE ON mission_assignments, mission_stars, project_stars TO missionsite_app;
    END IF;
END $$;
