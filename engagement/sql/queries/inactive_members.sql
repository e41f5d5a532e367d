-- The active members who have been inactive for the time of their next goodbye: FROM and WHERE of the count and of the batch of
-- sweeps.sweep_daily. The condition `may_be_sent` is evaluated for the state after the transition.
FROM user_engagement_states s
JOIN user_profiles p ON p.user_id = s.user_id
JOIN members m ON m.id = s.user_id
LEFT JOIN community_members c ON c.person_id = s.user_id
LEFT JOIN bounced_addresses x ON %(channels)s::text[] IS NULL AND x.user_id = s.user_id
    AND x.suppressed_at IS NOT NULL
    AND x.address = CASE WHEN %(by_email)s THEN lower(m.email) ELSE p.individual_jid END
CROSS JOIN LATERAL (
    SELECT engagement_block_reason(
        message_type => %(goodbye)s, is_transactional => false, is_active => m.is_active,
        directory_status => c.status, removed_at => c.deleted_at, has_opted_out => p.reengagement_opt_out,
        state => 'goodbye_sent', announcement_cancelled_at => NULL, is_suppressed => x.user_id IS NOT NULL,
        is_unreachable => %(channels)s::text[] IS NOT NULL
            AND NOT EXISTS (SELECT FROM message_routes(s.user_id, 'individual', '', '', %(channels)s::text[]))
    ) IS NULL AS may_be_sent
) b
WHERE s.state = 'active' AND s.last_activity_at <= %(quiet_since)s
    AND s.last_activity_at <=
        %(at)s - wait_before_goodbye(s.unanswered_goodbyes, %(inactive_after)s, %(inactive_at_most)s)
