-- Rejects a change of the audit. The functions of the owner may, each within its setting: empty details and remove the
-- link of a pseudonym (erasing), and delete what is older than 400 days (retention).
CREATE OR REPLACE FUNCTION reject_audit_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    is_owner CONSTANT boolean := current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID);
    erasing CONSTANT boolean := is_owner AND current_setting('missionsite.erasing_audit', true) = 'on';
    deleting CONSTANT boolean := is_owner AND current_setting('missionsite.deleting_audit', true) = 'on';
    youngest CONSTANT timestamptz := now() - interval '400 days';
BEGIN
    IF TG_OP = 'UPDATE' AND erasing AND TG_TABLE_NAME = 'audit_details' THEN
        IF to_jsonb(NEW) - '{origin,content,erased_by_id}'::text[] = to_jsonb(OLD) - '{origin,content,erased_by_id}'::text[]
            AND (NEW.origin IS NULL OR NEW.origin = OLD.origin) AND (NEW.content IS NULL OR NEW.content = OLD.content)
            AND NEW.erased_by_id IS NOT NULL THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'UPDATE' AND erasing AND TG_TABLE_NAME = 'audit_actors' THEN
        IF NEW.token = OLD.token AND NEW.member_id IS NULL AND NEW.erased_at IS NOT NULL THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'UPDATE' AND deleting AND TG_TABLE_NAME = 'audit_blocks' THEN
        IF OLD.newest_at < youngest AND NEW.ids IS NULL AND NEW.leaves IS NULL AND NEW.deleted_at IS NOT NULL
            AND to_jsonb(NEW) - '{ids,leaves,deleted_at}'::text[] = to_jsonb(OLD) - '{ids,leaves,deleted_at}'::text[] THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'DELETE' AND deleting AND TG_TABLE_NAME = 'audit_entries' THEN
        IF OLD.occurred_at < youngest THEN
            RETURN OLD;
        END IF;
    ELSIF TG_OP = 'DELETE' AND deleting AND TG_TABLE_NAME = 'audit_details' THEN
        IF NOT EXISTS (SELECT FROM audit_entries WHERE id = OLD.entry_id AND occurred_at >= youngest) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit is append-only: % of % rejected', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = 'audit_append_only';
END $$;
