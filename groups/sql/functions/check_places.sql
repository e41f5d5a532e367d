-- Rejects members and offers above the maximum of their missions.
CREATE OR REPLACE FUNCTION check_places(missions uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    mission record;
BEGIN
    -- The lock keeps the maximum until this transaction ends. In the order of keys, so that callers do not deadlock.
    FOR mission IN
        SELECT id, max_members FROM groups WHERE id = ANY (missions) AND max_members IS NOT NULL ORDER BY id FOR SHARE
    LOOP
        IF current_setting('transaction_isolation') = 'repeatable read' THEN
            -- Its snapshot does not show who joined while it waited for the lock.
            RAISE EXCEPTION 'joining a mission with a maximum number of members needs READ COMMITTED or SERIALIZABLE'
                USING ERRCODE = 'invalid_transaction_state';
        END IF;
        PERFORM lock_places(mission.id);
        -- A later statement than the one that waited, so it sees what others committed.
        IF taken_places(mission.id) > mission.max_members THEN
            RAISE EXCEPTION 'mission % has % places', mission.id, mission.max_members
                USING ERRCODE = 'check_violation', CONSTRAINT = 'memberships_places';
        END IF;
    END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION check_places(uuid[]) FROM PUBLIC;
