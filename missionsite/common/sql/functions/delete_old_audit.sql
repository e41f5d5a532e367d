-- Deletes the entries of the oldest block, if all of them are older than `before`, and than 400 days in any case. Its digest
-- stays in the chain, so that the rest can be verified. Returns the number of deleted entries; the audit records it.
CREATE OR REPLACE FUNCTION delete_old_audit(before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    block audit_blocks%ROWTYPE;
BEGIN
    SELECT * INTO block FROM audit_blocks
    WHERE deleted_at IS NULL AND newest_at < least(before, now() - interval '400 days')
    ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    PERFORM set_config('missionsite.deleting_audit', 'on', true);
    DELETE FROM audit_entries WHERE id = ANY (block.ids);
    DELETE FROM audit_details WHERE entry_id = ANY (block.ids);
    UPDATE audit_blocks SET ids = NULL, leaves = NULL, deleted_at = now() WHERE number = block.number;
    PERFORM set_config('missionsite.deleting_audit', '', true);
    PERFORM add_audit_entry(
        'audit.deleted', 'common.auditblock', block.number::text,
        jsonb_build_object('number', block.entries, 'newest_at', block.newest_at)
    );
    RETURN block.entries;
END $$;
REVOKE EXECUTE ON FUNCTION delete_old_audit(timestamptz) FROM PUBLIC;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        GRANT EXECUTE ON FUNCTION delete_old_audit(timestamptz) TO missionsite_app;
    END IF;
END $$;
