-- Returns the text of a reason; it is stored as the error message of a cancelled message.
CREATE OR REPLACE FUNCTION engagement_block_text(reason text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE reason
    WHEN 'locked' THEN 'The account is locked.'
    WHEN 'banned' THEN 'The member is banned.'
    WHEN 'suspended' THEN 'The member is suspended.'
    WHEN 'removed' THEN 'The member was removed from the directory.'
    WHEN 'suppressed' THEN 'The address is suppressed after a bounce or a complaint.'
    WHEN 'unreachable' THEN 'No channel has a verified address of the member that works.'
    WHEN 'opted_out' THEN 'The member has opted out.'
    WHEN 'muted' THEN 'The member does not want messages on this topic.'
    WHEN 'dormant' THEN 'The member is dormant.'
    WHEN 'returned' THEN 'The member is active again.'
    WHEN 'not_approved' THEN 'The member is not approved.'
    WHEN 'announcement_cancelled' THEN 'The announcement was cancelled.'
END;
