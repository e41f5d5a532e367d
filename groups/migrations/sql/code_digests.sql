-- Replaces the codes of invitations by digests in every table. The SHA-256 as a number in base 31, its last 16 digits,
-- lowest first: the same function as groups.models.invitations.digest_of_code.
CREATE FUNCTION pg_temp.digest_of_code(code text) RETURNS text
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    alphabet constant text := '23456789ABCDEFGHJKMNPQRSTUVWXYZ';
    hash constant bytea := sha256(convert_to(code, 'UTF8'));
    number numeric := 0;
    digest text := '';
BEGIN
    FOR place IN 0 .. 31 LOOP
        number := number * 256 + get_byte(hash, place);
    END LOOP;
    FOR digit IN 1 .. 16 LOOP
        digest := digest || substr(alphabet, mod(number, 31)::int + 1, 1);
        number := div(number, 31);
    END LOOP;
    RETURN digest;
END $$;

-- Neither history nor updated_at record this, and ended invitations are included.
ALTER TABLE community_invitations DISABLE TRIGGER USER;
DO $$ BEGIN
    IF to_regclass('invitation_digests_backup') IS NULL THEN
        UPDATE community_invitations SET invitation_code = pg_temp.digest_of_code(invitation_code);
        UPDATE community_invitations_history SET invitation_code = pg_temp.digest_of_code(invitation_code);
    ELSE
        -- Digests from before the rollback do not change.
        UPDATE community_invitations SET invitation_code = pg_temp.digest_of_code(invitation_code)
        WHERE invitation_code NOT IN (SELECT digest FROM invitation_digests_backup);
        UPDATE community_invitations_history SET invitation_code = pg_temp.digest_of_code(invitation_code)
        WHERE invitation_code NOT IN (SELECT digest FROM invitation_digests_backup);
        DROP TABLE invitation_digests_backup;
    END IF;
END $$;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
ALTER TABLE community_invitations ENABLE TRIGGER USER;
DROP FUNCTION pg_temp.digest_of_code(text);

-- The admin log contained the codes.
UPDATE django_admin_log log SET object_repr = 'Invitation ' || left(log.object_id, 8)
FROM django_content_type kind
WHERE kind.id = log.content_type_id AND (kind.app_label, kind.model) = ('groups', 'communityinvitation');

-- The history context contains request addresses; some are secrets.
UPDATE pghistory_context
SET metadata = jsonb_set(
    metadata, '{url}', to_jsonb(regexp_replace(metadata ->> 'url', '^(/(?:join|unsubscribe|deck/feeds)/).*$', '\1…'))
)
WHERE metadata ->> 'url' ~ '^/(join|unsubscribe|deck/feeds)/.';

-- A pending invitation may get a new code; an ended one keeps its code.
CREATE OR REPLACE FUNCTION guard_community_invitations() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NEW.created_by <> OLD.created_by THEN
        RAISE EXCEPTION 'the inviter of an invitation never changes'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_invitations_inviter_never_changes';
    END IF;
    IF NEW.invitation_code <> OLD.invitation_code AND (OLD.status, NEW.status) <> ('pending', 'pending') THEN
        RAISE EXCEPTION 'the code of an invitation changes only while it is pending'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_invitations_code_changes_while_pending';
    END IF;
    IF OLD.status <> 'pending'
        AND (NEW.status, NEW.accepted_by, NEW.accepted_at)
            IS DISTINCT FROM (OLD.status, OLD.accepted_by, OLD.accepted_at) THEN
        RAISE EXCEPTION 'an invitation that is % never changes', OLD.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_invitations_status_moves';
    END IF;
    RETURN NEW;
END $$;
