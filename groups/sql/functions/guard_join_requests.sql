-- Rejects a change of a decided join request, and of what a request is about. A request or invitation that is not decided
-- may become an entry of the waiting list, and an entry is offered a place once. Merging two people moves open and decided
-- ones, and withdraws what one person cannot have twice, which undoing the merge takes back; erasing a person empties texts.
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
        -- Each merge that is not undone yet has the row as it was. A query of its own: members cannot read merges.
        IF OLD.status = 'withdrawn' AND NEW.group_id = OLD.group_id AND NEW.kind = OLD.kind
            AND NEW.offered_until IS NOT DISTINCT FROM OLD.offered_until
            AND (NEW.created_by_id, NEW.created_at, NEW.queued_at)
                IS NOT DISTINCT FROM (OLD.created_by_id, OLD.created_at, OLD.queued_at) THEN
            IF EXISTS (
                SELECT FROM member_merges m JOIN member_merge_rows r ON r.merge_id = m.id
                WHERE m.undone_at IS NULL AND r.table_name = 'join_requests' AND r.row_key = OLD.id::text
                    AND r.before = jsonb_build_object('status', NEW.status, 'decided_by_id', NEW.decided_by_id,
                        'decided_at', NEW.decided_at)
            ) THEN
                RETURN NEW;
            END IF;
        END IF;
        RAISE EXCEPTION 'a join request that is % does not change like this', OLD.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'join_requests_decided_once';
    END IF;
    RETURN NEW;
END $$;
