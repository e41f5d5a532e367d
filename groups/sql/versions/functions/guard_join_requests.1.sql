-- Rejects a change of a decided join request, and of what a request is about. A request or invitation that is not decided
-- may become an entry of the waiting list, and an entry is offered a place once. Merging two people moves open and decided
-- ones, and erasing a person empties their texts.
CREATE OR REPLACE FUNCTION guard_join_requests() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF (NEW.group_id, NEW.created_by_id, NEW.created_at)
        IS DISTINCT FROM (OLD.group_id, OLD.created_by_id, OLD.created_at)
        OR (NEW.kind <> OLD.kind AND NOT (OLD.status = 'open' AND NEW.status = 'open' AND NEW.kind = 'waiting'))
        OR (OLD.queued_at IS NOT NULL AND NEW.queued_at IS DISTINCT FROM OLD.queued_at)
        OR (OLD.status = 'offered' AND NEW.status = 'open')
        OR (OLD.status NOT IN ('open', 'offered')
            AND (NEW.status, NEW.decided_by_id, NEW.decided_at, NEW.offered_until)
                IS DISTINCT FROM (OLD.status, OLD.decided_by_id, OLD.decided_at, OLD.offered_until)) THEN
        RAISE EXCEPTION 'a join request that is % does not change like this', OLD.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'join_requests_decided_once';
    END IF;
    RETURN NEW;
END $$;
