-- Sets the addresses of a member from their account, directory entry and profile. Verified: the e-mail once its owner has
-- confirmed it, and the chat that staff entered in the profile; other addresses keep what the member proved. Of two
-- members with one address, the first one has it verified. An erased or merged person has none.
CREATE OR REPLACE FUNCTION sync_member_addresses(who uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    wanted text[][];
BEGIN
    SELECT coalesce(array_agg(ARRAY[w.channel, w.address, w.proven]), '{}') INTO wanted FROM (
        SELECT 'email' AS channel, lower(m.email) AS address,
            CASE WHEN EXISTS (
                SELECT FROM account_emailaddress a
                WHERE a.user_id = m.id AND lower(a.email) = lower(m.email) AND NOT a.verified
            ) THEN 'no' ELSE 'yes' END AS proven
        FROM members m WHERE m.id = who
        UNION ALL
        SELECT 'telegram', c.telegram_id, 'kept' FROM community_members c
        WHERE c.person_id = who AND c.telegram_id ~ '^[0-9]{1,20}$'
        UNION ALL
        SELECT 'telegram_name', lower(ltrim(c.telegram_username, '@')), 'no' FROM community_members c
        WHERE c.person_id = who AND c.telegram_username ~ '^@?[A-Za-z0-9_]+$'
        UNION ALL
        SELECT CASE WHEN p.individual_jid ~ '^[+]?[0-9]{8,15}@' THEN 'whatsapp' ELSE 'chat' END,
            CASE WHEN p.individual_jid ~ '^[+]?[0-9]{8,15}@'
                THEN (regexp_match(p.individual_jid, '^[+]?([0-9]+)@'))[1] ELSE p.individual_jid END,
            'yes'
        FROM user_profiles p WHERE p.user_id = who AND p.individual_jid <> '' AND NOT EXISTS (
            SELECT FROM community_members c WHERE c.person_id = who AND c.telegram_id = p.individual_jid
        )
    ) w
    WHERE EXISTS (SELECT FROM members m WHERE m.id = who AND m.merged_into_id IS NULL)
        AND NOT EXISTS (SELECT FROM community_members c WHERE c.person_id = who AND c.erased_at IS NOT NULL);

    DELETE FROM member_addresses a WHERE a.user_id = who AND NOT EXISTS (
        SELECT FROM generate_subscripts(wanted, 1) i WHERE wanted[i][1] = a.channel AND wanted[i][2] = a.address
    );
    INSERT INTO member_addresses AS a (user_id, channel, address, verified_at)
    SELECT who, wanted[i][1], wanted[i][2],
        CASE WHEN wanted[i][3] = 'yes' AND NOT EXISTS (
            SELECT FROM member_addresses o
            WHERE o.channel = wanted[i][1] AND o.address = wanted[i][2] AND o.verified_at IS NOT NULL AND o.user_id <> who
        ) THEN now() END
    FROM generate_subscripts(wanted, 1) i
    ON CONFLICT (user_id, channel, address) DO UPDATE SET verified_at = CASE
        WHEN excluded.verified_at IS NOT NULL THEN coalesce(a.verified_at, excluded.verified_at)
        WHEN a.channel = 'email' THEN NULL
        ELSE a.verified_at END
    WHERE (excluded.verified_at IS NULL) <> (a.verified_at IS NULL);
END $$;
REVOKE EXECUTE ON FUNCTION sync_member_addresses(uuid) FROM PUBLIC;
