-- Checks that both missions are of one project and that dependencies have no cycle. A lock per project makes additions
-- sequential: two concurrent ones that form a cycle together would not see each other.
CREATE OR REPLACE FUNCTION check_dependency() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
    projects text[];
BEGIN
    SELECT array_agg(DISTINCT project_id) INTO projects FROM missions WHERE id IN (NEW.mission_id, NEW.depends_on_id);
    IF cardinality(projects) > 1 THEN
        RAISE EXCEPTION 'missions % and % are of different projects', NEW.mission_id, NEW.depends_on_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'mission_dependencies_within_project';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('mission_dependencies:' || projects[1], 0));
    IF EXISTS (
        WITH RECURSIVE needed (id) AS (
            VALUES (NEW.depends_on_id)
            UNION
            SELECT d.depends_on_id FROM mission_dependencies d JOIN needed n ON d.mission_id = n.id
        )
        SELECT FROM needed WHERE id = NEW.mission_id
    ) THEN
        RAISE EXCEPTION 'mission % would depend on itself', NEW.mission_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'mission_dependencies_no_cycle';
    END IF;
    -- Lock the mission it depends on until the commit, because the count below depends on its list. It is locked before
    -- the dependent mission, as at a change of its list, so that the two cannot deadlock.
    PERFORM FROM missions WHERE id = NEW.depends_on_id FOR NO KEY UPDATE;
    RETURN NEW;
END $$;
