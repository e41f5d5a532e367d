-- The members whose review of the previous ISO week is due: the query that the count and the batch of sweeps.sweep_weekly
-- begin with. On Monday the previous week is complete; the review is for members who took part in it, not for those who
-- only visited or wrote to the site. The idempotency key contains the week, so repeated sweeps and clocks that differ
-- queue one message per member and week.
SELECT s.id, s.last_activity_at, s.user_id, p.individual_jid AS address,
       to_char(date_trunc('week', %(at)s AT TIME ZONE p.timezone) - interval '7 days', 'IYYY-"W"IW') AS week
FROM user_engagement_states s
JOIN user_profiles p ON p.user_id = s.user_id
JOIN members m ON m.id = s.user_id
LEFT JOIN community_members c ON c.person_id = s.user_id
LEFT JOIN bounced_addresses x ON %(channels)s::text[] IS NULL AND x.user_id = s.user_id
    AND x.suppressed_at IS NOT NULL
    AND x.address = CASE WHEN %(by_email)s THEN lower(m.email) ELSE p.individual_jid END
WHERE s.state = 'active'
    AND engagement_block_reason(
        message_type => %(review)s, is_transactional => false, is_active => m.is_active,
        directory_status => c.status, removed_at => c.deleted_at, has_opted_out => p.reengagement_opt_out,
        state => s.state, announcement_cancelled_at => NULL, is_suppressed => x.user_id IS NOT NULL,
        is_unreachable => %(channels)s::text[] IS NOT NULL
            AND NOT EXISTS (SELECT FROM message_routes(s.user_id, 'individual', '', '', %(channels)s::text[])),
        is_muted => %(review)s = ANY (p.muted_topics)
    ) IS NULL
    -- A condition for the index: who took part last week was last active in it or later.
    AND s.last_activity_at >= %(at)s - interval '9 days'
    AND extract(isodow FROM %(at)s AT TIME ZONE p.timezone) = 1
    AND extract(hour FROM %(at)s AT TIME ZONE p.timezone) >= %(review_hour)s
    AND date_trunc('week', %(at)s AT TIME ZONE p.timezone)::date - 7 IN (s.took_part_week, s.took_part_week_before)
    AND NOT EXISTS (
        SELECT FROM engagement_message_queue q WHERE q.idempotency_key = s.user_id || ':' || %(review)s || ':'
            || to_char(date_trunc('week', %(at)s AT TIME ZONE p.timezone) - interval '7 days', 'IYYY-"W"IW')
    )
