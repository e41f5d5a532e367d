-- New entries: per statement, because an import inserts many entries and few of them have a mission.
CREATE OR REPLACE FUNCTION clear_deck_assignees_of_new_entries() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE deck_missions d SET assignee_id = NULL FROM new_rows n WHERE d.assignee_id = n.person_id;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION clear_deck_assignees_of_new_entries() FROM PUBLIC;
