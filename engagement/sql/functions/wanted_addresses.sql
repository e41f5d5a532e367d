-- Returns the addresses that members have by their account, directory entry and profile. proven: whether the source shows
-- that they are verified. An erased or merged person has none.
CREATE OR REPLACE FUNCTION wanted_addresses(who uuid[])
RETURNS TABLE (user_id uuid, channel text, address text, proven boolean)
LANGUAGE sql STABLE SET search_path = public, pg_temp
AS $$
    WITH people AS (
        SELECT m.id, m.email, c.telegram_id, c.telegram_username, c.phone, p.individual_jid AS chat
        FROM members m
        JOIN user_profiles p ON p.user_id = m.id
        LEFT JOIN community_members c ON c.person_id = m.id
        WHERE m.id = ANY (who) AND m.merged_into_id IS NULL AND c.erased_at IS NULL
    )
    SELECT id, 'email', lower(email), NOT EXISTS (
        SELECT FROM account_emailaddress a
        WHERE a.user_id = people.id AND lower(a.email) = lower(people.email) AND NOT a.verified
    ) FROM people
    UNION ALL
    SELECT id, 'telegram', telegram_id, false FROM people WHERE telegram_id ~ '^[0-9]{1,20}$'
    UNION ALL
    SELECT id, 'telegram_name', lower(ltrim(telegram_username, '@')), false FROM people
    WHERE telegram_username ~ '^@?[A-Za-z0-9_]+$'
    UNION ALL
    -- The chat that staff entered may be that of the same number.
    SELECT id, 'whatsapp', ltrim(phone, '+'), false FROM people
    WHERE phone IS NOT NULL AND ltrim(phone, '+') IS DISTINCT FROM (regexp_match(chat, '^[+]?([0-9]{8,15})@'))[1]
    UNION ALL
    SELECT id, CASE WHEN chat ~ '^[+]?[0-9]{8,15}@' THEN 'whatsapp' ELSE 'chat' END,
        CASE WHEN chat ~ '^[+]?[0-9]{8,15}@' THEN (regexp_match(chat, '^[+]?([0-9]+)@'))[1] ELSE chat END, true
    FROM people WHERE chat <> '' AND chat IS DISTINCT FROM telegram_id
$$;
