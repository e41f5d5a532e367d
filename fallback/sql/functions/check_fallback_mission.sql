-- Checks that a fallback mission and its accepted proposal link to each other and are of one project.
-- Deferred to the commit, because one of the two is written first.
CREATE OR REPLACE FUNCTION check_fallback_mission() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
    wrong boolean;
BEGIN
    IF TG_TABLE_NAME = 'missions' THEN
        SELECT NOT EXISTS (
            SELECT FROM mission_fallback_items i WHERE i.id = m.fallback_item_id AND i.mission_id = m.id
                AND i.status = 'accepted' AND i.project_id = m.project_id)
        INTO wrong FROM missions m
        WHERE m.id = NEW.id AND (m.fallback_item_id IS NOT NULL OR (TG_OP = 'INSERT' AND m.origin = 'fallback'));
    ELSE
        wrong := EXISTS (
            SELECT FROM missions m LEFT JOIN mission_fallback_items i ON i.id = NEW.id AND i.status = 'accepted'
                AND i.mission_id = m.id
            WHERE m.fallback_item_id = NEW.id AND i.id IS NULL
        ) OR EXISTS (
            SELECT FROM mission_fallback_items i JOIN missions m ON m.id = i.mission_id
            WHERE i.id = NEW.id AND (m.fallback_item_id IS DISTINCT FROM i.id OR m.project_id <> i.project_id));
    END IF;
    IF wrong THEN
        RAISE EXCEPTION '% %: a fallback mission and its accepted proposal must link to each other', TG_TABLE_NAME, NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'missions_fallback_was_accepted';
    END IF;
    RETURN NULL;
END $$;
