-- Returns the channels on which a message can reach a member, in the member's order, or the site's if they chose none: those
-- that the site has and on which the member has a verified address that is not suppressed. After a complaint there is
-- none: who reported a message as unwanted is not written to elsewhere.
--   destination, chat: of the message; one to a group chat goes to this chat on any channel but e-mail, if it is known.
--   tried: the channel on which the message may have been accepted already; empty if on none. There is no other one then.
--   configured: the channels of the site, in its order.
-- Of several addresses on a channel, the one that was verified first counts. PostgreSQL inlines it.
CREATE OR REPLACE FUNCTION message_routes(who uuid, destination text, chat text, tried text, configured text[])
RETURNS TABLE (place bigint, channel text, address text)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT w.place, w.channel, a.address
    FROM user_profiles p
    CROSS JOIN LATERAL unnest(CASE p.channels WHEN '{}' THEN configured ELSE p.channels END)
        WITH ORDINALITY AS w (channel, place)
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN destination <> 'group' OR chat = '' THEN (
                SELECT m.address FROM member_addresses m
                WHERE m.user_id = who AND m.channel = w.channel AND m.verified_at IS NOT NULL
                ORDER BY m.verified_at, m.id LIMIT 1
            )
            WHEN w.channel <> 'email' THEN chat
        END AS address
    ) a
    WHERE p.user_id = who AND a.address IS NOT NULL AND w.channel = ANY (configured) AND tried IN ('', w.channel)
        AND NOT EXISTS (
            SELECT FROM bounced_addresses b
            WHERE b.user_id = who AND b.suppressed_at IS NOT NULL AND (b.address = a.address OR b.reason = 'complaint')
        )
$$;
