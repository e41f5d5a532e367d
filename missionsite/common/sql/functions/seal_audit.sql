-- Seals the entries that wait, at most so many, in one block chained to the last one. Returns their number. One caller at a
-- time; entries of transactions that have not ended follow in a later block.
CREATE OR REPLACE FUNCTION seal_audit(most integer DEFAULT 1000) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    block audit_blocks%ROWTYPE;
    last audit_blocks%ROWTYPE;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('missionsite.seal_audit', 0));
    WITH taken AS (
        DELETE FROM audit_pending
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM audit_pending ORDER BY entry_id LIMIT most))
        RETURNING entry_id
    )
    SELECT array_agg(e.id ORDER BY e.id), string_agg(e.leaf, ''::bytea ORDER BY e.id), count(*), max(e.occurred_at)
    INTO block.ids, block.leaves, block.entries, block.newest_at
    FROM audit_entries e JOIN taken t ON t.entry_id = e.id;
    IF block.entries = 0 THEN
        RETURN 0;
    END IF;
    SELECT * INTO last FROM audit_blocks ORDER BY number DESC LIMIT 1;
    block.number := coalesce(last.number, 0) + 1;
    block.previous := coalesce(last.digest, sha256(''));
    block.content := sha256(convert_to(array_to_string(block.ids, ','), 'UTF8') || block.leaves);
    block.sealed_at := now();
    block.digest := audit_block_digest(block);
    INSERT INTO audit_blocks SELECT block.*;
    RETURN block.entries;
END $$;
REVOKE EXECUTE ON FUNCTION seal_audit(integer) FROM PUBLIC;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        GRANT EXECUTE ON FUNCTION seal_audit(integer) TO missionsite_app;
    END IF;
END $$;
