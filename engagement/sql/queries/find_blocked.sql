-- Returns the messages of a claim that have been blocked or cancelled since, with the reason, and without one those that go
-- by another channel now. Used by selectors.claims.find_blocked.
SELECT b.id, CASE WHEN b.is_cancelled THEN b.error_message ELSE engagement_block_text(b.reason) END
FROM (
    SELECT q.id, q.error_message, q.status = 'cancelled' AS is_cancelled, engagement_block_reason(
        message_type => q.message_type, is_transactional => q.message_type = ANY (%(transactional_types)s),
        is_active => m.is_active, directory_status => c.status, removed_at => c.deleted_at,
        has_opted_out => p.reengagement_opt_out, state => s.state, announcement_cancelled_at => n.cancelled_at,
        is_suppressed => x.user_id IS NOT NULL, is_muted => q.topic = ANY (p.muted_topics),
        is_unreachable => k.channel <> '' AND r.channel IS NULL
    ) AS reason, k.channel <> '' AND r.channel <> k.channel AS is_rerouted
    FROM engagement_claims k
    JOIN engagement_message_queue q ON q.id = ANY (k.message_ids)
    JOIN members m ON m.id = q.user_id
    JOIN user_profiles p ON p.user_id = q.user_id
    LEFT JOIN user_engagement_states s ON s.user_id = q.user_id
    LEFT JOIN community_members c ON c.person_id = q.user_id
    LEFT JOIN engagement_announcements n ON n.id = q.announcement_id
    LEFT JOIN bounced_addresses x ON k.channel = '' AND x.user_id = q.user_id AND x.suppressed_at IS NOT NULL
        AND x.address = CASE WHEN %(by_email)s THEN lower(m.email) ELSE q.destination_jid END
    LEFT JOIN LATERAL (
        SELECT o.channel FROM message_routes(
            q.user_id, q.destination, q.destination_jid, CASE WHEN q.attempted_at IS NULL THEN '' ELSE q.channel END,
            %(channels)s::text[]
        ) o
        WHERE k.channel <> '' ORDER BY o.place LIMIT 1
    ) r ON true
    WHERE k.attempt_token = %(token)s
) b
-- Erasing a member also cancels claimed messages.
WHERE b.is_cancelled OR b.reason IS NOT NULL OR b.is_rerouted
