-- Returns the first reason against sending a member a message now, or NULL. Used by the claim, the check while a batch
-- is sent, the sweeps, the audience of an announcement and the back office.
-- PostgreSQL inlines it and engagement_block_text, so there is no call per row; the caller joins the tables.
--   is_transactional: the message replies to an action of the member, so opting out and dormancy do not block it.
--   directory_status, removed_at, state: NULL for a member without a directory entry or without a state.
--   is_suppressed: whether the address that the message would go to is suppressed.
--   is_muted: whether the member does not want messages on the topic of this one.
--   is_unreachable: whether no channel of the site has an address of the member that works.
CREATE OR REPLACE FUNCTION engagement_block_reason(
    message_type text, is_transactional boolean, is_active boolean, directory_status text, removed_at timestamptz,
    has_opted_out boolean, state text, announcement_cancelled_at timestamptz,
    is_suppressed boolean, is_muted boolean DEFAULT false, is_unreachable boolean DEFAULT false
) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN NOT is_active THEN 'locked'
    WHEN directory_status IN ('banned', 'suspended') THEN directory_status
    WHEN removed_at IS NOT NULL THEN 'removed'
    WHEN is_suppressed THEN 'suppressed'
    WHEN is_unreachable THEN 'unreachable'
    WHEN message_type = 'clarification' AND state IS DISTINCT FROM 'goodbye_sent' THEN 'returned'
    WHEN is_transactional THEN NULL
    WHEN has_opted_out THEN 'opted_out'
    WHEN is_muted THEN 'muted'
    WHEN state = 'dormant' THEN 'dormant'
    WHEN message_type = 'goodbye' AND state IS DISTINCT FROM 'goodbye_sent' THEN 'returned'
    WHEN message_type = 'reminder' AND state = 'active' THEN 'returned'
    WHEN message_type = 'announcement' AND directory_status IN ('not_member', 'pending') THEN 'not_approved'
    WHEN announcement_cancelled_at IS NOT NULL THEN 'announcement_cancelled'
END;
