-- Sets the addresses of members from their account, directory entry and profile. Verified: the e-mail once its owner has
-- confirmed it, and the chat that staff entered in the profile; other addresses keep what the member proved. Of two
-- members with one address, the first one has it verified.
CREATE OR REPLACE FUNCTION sync_member_addresses(who uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    DELETE FROM member_addresses a WHERE a.user_id = ANY (who) AND NOT EXISTS (
        SELECT FROM wanted_addresses(who) w
        WHERE w.user_id = a.user_id AND w.channel = a.channel AND w.address = a.address
    );
    INSERT INTO member_addresses AS a (user_id, channel, address, verified_at)
    SELECT w.user_id, w.channel, w.address, CASE WHEN w.proven AND NOT w.is_repeated AND NOT EXISTS (
        SELECT FROM member_addresses o
        WHERE o.channel = w.channel AND o.address = w.address AND o.verified_at IS NOT NULL AND o.user_id <> w.user_id
    ) THEN now() END
    FROM (
        SELECT *, row_number() OVER (PARTITION BY channel, address ORDER BY proven DESC, user_id) > 1 AS is_repeated
        FROM wanted_addresses(who)
    ) w
    ON CONFLICT (user_id, channel, address) DO UPDATE SET verified_at = CASE
        WHEN excluded.verified_at IS NOT NULL THEN coalesce(a.verified_at, excluded.verified_at)
        WHEN a.channel = 'email' THEN NULL
        ELSE a.verified_at END
    WHERE (excluded.verified_at IS NULL) <> (a.verified_at IS NULL);
END $$;
REVOKE EXECUTE ON FUNCTION sync_member_addresses(uuid[]) FROM PUBLIC;
