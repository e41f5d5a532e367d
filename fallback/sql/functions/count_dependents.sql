-- Updates open_dependency_count of dependent missions when a mission enters or leaves the list done.
CREATE OR REPLACE FUNCTION count_dependents() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
    dependents text[];
BEGIN
    SELECT array_agg(DISTINCT d.mission_id) INTO dependents
    FROM new_rows n JOIN old_rows o ON o.id = n.id JOIN mission_dependencies d ON d.depends_on_id = n.id
    WHERE (n.list = 'done') <> (o.list = 'done');
    IF dependents IS NOT NULL THEN
        PERFORM recount_dependencies(dependents);
    END IF;
    RETURN NULL;
END $$;
