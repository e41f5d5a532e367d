-- One batch of reminders to members whose snooze has ended; used by sweeps.sweep_daily. A member who gets no reminder, for
-- example after an opt-out, has no time to reply and becomes dormant in the next step. Returns the same columns as
-- send_goodbyes.sql.
WITH due AS MATERIALIZED (
    SELECT s.id, s.user_id, p.individual_jid AS address, b.may_be_sent
    FROM user_engagement_states s
    JOIN user_profiles p ON p.user_id = s.user_id
    JOIN members m ON m.id = s.user_id
    LEFT JOIN community_members c ON c.person_id = s.user_id
    LEFT JOIN bounced_addresses x ON %(channels)s::text[] IS NULL AND x.user_id = s.user_id
        AND x.suppressed_at IS NOT NULL
        AND x.address = CASE WHEN %(by_email)s THEN lower(m.email) ELSE p.individual_jid END
    CROSS JOIN LATERAL (
        SELECT engagement_block_reason(
            message_type => %(reminder)s, is_transactional => false, is_active => m.is_active,
            directory_status => c.status, removed_at => c.deleted_at, has_opted_out => p.reengagement_opt_out,
            state => s.state, announcement_cancelled_at => NULL, is_suppressed => x.user_id IS NOT NULL,
            is_unreachable => %(channels)s::text[] IS NOT NULL
                AND NOT EXISTS (SELECT FROM message_routes(s.user_id, 'individual', '', '', %(channels)s::text[]))
        ) IS NULL AS may_be_sent
    ) b
    WHERE s.state = 'remind_later' AND s.remind_at <= %(at)s AND s.reminder_queued_at IS NULL
    ORDER BY s.remind_at, s.id LIMIT %(most)s FOR NO KEY UPDATE OF s SKIP LOCKED
), marked AS (
    UPDATE user_engagement_states s
    SET reminder_queued_at = %(at)s, reminder_expires_at = CASE WHEN NOT due.may_be_sent THEN %(at)s::timestamptz END
    FROM due WHERE s.id = due.id
    RETURNING 1
), queued AS (
    INSERT INTO engagement_message_queue (user_id, message_type, message_key, destination, destination_jid,
        scheduled_for, idempotency_key)
    SELECT user_id, %(reminder)s, %(reminder)s, 'individual', address, %(at)s,
           user_id || ':' || %(reminder)s || ':' || to_char(%(at)s AT TIME ZONE 'UTC', 'YYYY-MM-DD')
    FROM due WHERE may_be_sent ORDER BY user_id ON CONFLICT (idempotency_key) DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM marked), (SELECT count(*) FROM queued),
       NULL::timestamptz, NULL::bigint
