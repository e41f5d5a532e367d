-- Rejects a change of a mission's project: its flow, actor, repository and dependencies are of that project.
CREATE OR REPLACE FUNCTION reject_mission_project_change() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'the project of mission % is immutable', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'missions_project_immutable';
END $$;
