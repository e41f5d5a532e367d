-- Erases a person from the audit when their directory entry is erased: where they acted from, and the details of entries
-- about them. Entries, pseudonym and digests stay, and the audit records the erasure.
CREATE OR REPLACE FUNCTION erase_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    made CONSTANT bigint := add_audit_entry('audit.erased', TG_ARGV[0], NEW.member_id, '{}');
    pseudonym uuid;
    by_person bigint[];
BEGIN
    SELECT token INTO pseudonym FROM audit_actors WHERE member_id = NEW.person_id;
    by_person := ARRAY(SELECT id FROM audit_entries WHERE actor_token = pseudonym);
    PERFORM set_config('missionsite.erasing_audit', 'on', true);
    UPDATE audit_details d SET origin = NULL, erased_by_id = made
    WHERE d.entry_id = ANY (by_person) AND d.origin IS NOT NULL;
    UPDATE audit_details d SET content = NULL, erased_by_id = made
    WHERE d.content IS NOT NULL AND d.entry_id <> made AND (
        d.member_id = NEW.person_id
        OR d.entry_id IN (SELECT id FROM audit_entries WHERE object_type = TG_ARGV[0] AND object_id = NEW.member_id)
    );
    UPDATE audit_actors SET member_id = NULL, erased_at = now() WHERE token = pseudonym;
    PERFORM set_config('missionsite.erasing_audit', '', true);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION erase_audit() FROM PUBLIC;
