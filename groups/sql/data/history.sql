-- Restores the rows of history that a rollback of the mission schema backed up. Runs before the triggers that write
-- history.
DO $$
DECLARE
    history text;
BEGIN
    FOREACH history IN ARRAY ARRAY['members_history', 'groups_history', 'memberships_history', 'tasks_history'] LOOP
        IF to_regclass(history || '_backup') IS NOT NULL THEN
            EXECUTE format('INSERT INTO %I OVERRIDING SYSTEM VALUE SELECT * FROM %I', history, history || '_backup');
            EXECUTE format(
                'SELECT setval(pg_get_serial_sequence(%L, ''pgh_id''), max(pgh_id)) FROM %I HAVING max(pgh_id) IS NOT NULL',
                history, history
            );
            EXECUTE format('DROP TABLE %I', history || '_backup');
        END IF;
    END LOOP;
END $$;
