-- Erases an entry of the directory and its account. Numbers and counts are kept; groups/README.md lists the texts and
-- their replacements.
CREATE OR REPLACE FUNCTION erase_directory_entry(entry uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    subject community_members%ROWTYPE;
    account uuid;
    known text[];
    names text[];
    emails text[];
BEGIN
    SELECT * INTO STRICT subject FROM community_members WHERE id = entry FOR UPDATE;
    account := subject.person_id;
    -- All current and former names, read before they are overwritten.
    names := ARRAY(
        SELECT DISTINCT lower(h.telegram_username) FROM community_members_history h
        WHERE h.pgh_obj_id = entry AND h.telegram_username IS NOT NULL
    ) || lower(subject.telegram_username);
    emails := ARRAY(
        SELECT DISTINCT lower(h.email) FROM members_history h WHERE h.pgh_obj_id = account
    ) || ARRAY(SELECT lower(email) FROM members WHERE id = account);
    known := ARRAY[
        subject.name, subject.telegram_id, subject.telegram_username, subject.github_username, subject.phone,
        '"' || subject.member_id || '"'
    ]
        || ARRAY(SELECT unnest(ARRAY[email, display_name]) FROM members WHERE id = account)
        || ARRAY(
            SELECT DISTINCT unnest(ARRAY[h.name, h.telegram_id, h.telegram_username, h.github_username, h.phone])
            FROM community_members_history h WHERE h.pgh_obj_id = entry
        )
        || ARRAY(
            SELECT DISTINCT unnest(ARRAY[h.email, h.display_name]) FROM members_history h WHERE h.pgh_obj_id = account
        );

    UPDATE community_members SET
        name = 'Erased member', telegram_id = 'erased:' || id, telegram_username = NULL, organization = NULL,
        country = NULL, phone = NULL, github_username = NULL, github_verified = false, github_verified_at = NULL,
        github_profile_data = NULL, registration_fee_tx_hash = NULL, profile_data = NULL,
        deleted_at = coalesce(deleted_at, now()), erased_at = now()
    WHERE id = entry;
    UPDATE community_members_history SET
        name = 'Erased member', telegram_id = 'erased:' || id, telegram_username = NULL, organization = NULL,
        country = NULL, phone = NULL, github_username = NULL, github_profile_data = NULL, registration_fee_tx_hash = NULL,
        profile_data = NULL
    WHERE pgh_obj_id = entry;

    UPDATE community_invitations SET invited_telegram_username = NULL, invited_email = NULL, invited_name = NULL
    WHERE accepted_by = subject.member_id
        OR lower(invited_telegram_username) = ANY (names)
        OR lower(invited_email) = ANY (emails);
    UPDATE community_invitations_history
    SET invited_telegram_username = NULL, invited_email = NULL, invited_name = NULL
    WHERE accepted_by = subject.member_id
        OR lower(invited_telegram_username) = ANY (names)
        OR lower(invited_email) = ANY (emails)
        OR pgh_obj_id IN (SELECT invitation_id FROM community_invitations WHERE accepted_by = subject.member_id);
    UPDATE member_relationships SET content = '{}' WHERE member_a_id = entry OR member_b_id = entry;
    -- The minutes are part of the counts.
    UPDATE member_participation SET room_id = 'erased', event_metadata = CASE WHEN event_type = 'VOICE'
        THEN jsonb_strip_nulls(jsonb_build_object('minutes', event_metadata -> 'minutes')) END
    WHERE member_id = subject.member_id;

    PERFORM set_config('missionsite.erasing', 'on', true);
    UPDATE events SET payload = jsonb_build_object('number', subject.member_id, 'erased', true)
    WHERE member_id = account OR (member_id IS NULL AND payload ->> 'number' = subject.member_id);
    PERFORM set_config('missionsite.erasing', '', true);

    -- A stored response is JSON with escaped non-ASCII characters; the cast to jsonb decodes them.
    DELETE FROM api_idempotency_keys k
    WHERE k.owner_id = account
        OR EXISTS (
            SELECT FROM unnest(known) AS word
            WHERE word <> '' AND position(
                lower(word) IN lower(CASE WHEN left(k.body, 1) IN ('{', '[') THEN k.body::jsonb::text ELSE k.body END)
            ) > 0
        );

    IF account IS NOT NULL THEN
        DELETE FROM api_tokens WHERE owner_id = account;
        DELETE FROM members_groups WHERE member_id = account;
        DELETE FROM members_user_permissions WHERE member_id = account;
        DELETE FROM django_admin_log WHERE user_id = account OR object_id = account::text;
        UPDATE members SET
            email = 'erased-' || id || '@erased.invalid', display_name = 'Erased member', password = '!',
            is_active = false, is_staff = false, is_superuser = false, last_login = NULL
        WHERE id = account;
        -- A role in a mission is free text.
        UPDATE memberships SET role = 'Member' WHERE member_id = account;
        UPDATE memberships_history SET role = 'Member' WHERE member_id = account;
        UPDATE members_history SET email = 'erased-' || id || '@erased.invalid', display_name = 'Erased member'
        WHERE pgh_obj_id = account;
    END IF;
    DELETE FROM django_admin_log WHERE object_id = entry::text;
    -- What a merge filled in or emptied. It can no longer be undone.
    UPDATE member_merge_rows SET before = '{}', after = '{}' WHERE merge_id IN (
        SELECT id FROM member_merges
        WHERE subject.member_id IN (kept_entry_id, absorbed_entry_id) OR account IN (kept_id, absorbed_id)
    );
    UPDATE member_merges SET reason = ''
    WHERE subject.member_id IN (kept_entry_id, absorbed_entry_id) OR account IN (kept_id, absorbed_id);
    -- Other apps erase their data of the member in triggers on erased_at.
END $$;
REVOKE EXECUTE ON FUNCTION erase_directory_entry(uuid) FROM PUBLIC;
