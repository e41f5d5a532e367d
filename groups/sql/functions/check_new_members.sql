-- Checks the places of the missions that got active members in a statement.
CREATE OR REPLACE FUNCTION check_new_members() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM check_places(ARRAY(SELECT DISTINCT group_id FROM new_rows WHERE status = 'active'));
    ELSE
        PERFORM check_places(ARRAY(
            SELECT DISTINCT n.group_id FROM new_rows n JOIN old_rows o ON o.id = n.id
            WHERE n.status = 'active' AND (o.status <> 'active' OR o.group_id <> n.group_id)
        ));
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION check_new_members() FROM PUBLIC;
