-- Queues one batch of due steps of sequences. Used by services.sequences. Returns the number of queued messages.
-- A concurrent run waits for the unique index of (step, member) and queues nothing twice.
WITH due AS (
    SELECT t.template_key <> 'welcome' AND in_control_group(e.user_id, %(control_percent)s) AS is_control,
           e.user_id, t.id AS step_id, t.template_key, q.topic, p.individual_jid AS address
    FROM engagement_sequence_members e
    JOIN engagement_sequences q ON q.id = e.sequence_id AND q.is_enabled
    JOIN engagement_sequence_steps t ON t.sequence_id = e.sequence_id AND t.is_enabled
    JOIN user_profiles p ON p.user_id = e.user_id
    JOIN members m ON m.id = e.user_id
    LEFT JOIN user_engagement_states s ON s.user_id = e.user_id
    LEFT JOIN community_members c ON c.person_id = e.user_id
    LEFT JOIN bounced_addresses x ON %(channels)s::text[] IS NULL AND x.user_id = e.user_id
        AND x.suppressed_at IS NOT NULL
        AND x.address = CASE WHEN %(by_email)s THEN lower(m.email) ELSE p.individual_jid END
    WHERE e.ended_at IS NULL
        AND (%(only)s::uuid IS NULL OR e.user_id = %(only)s::uuid)
        AND e.started_at + t.delay_days * interval '1 day' <= %(at)s
        AND e.started_at + (t.delay_days + %(grace_days)s) * interval '1 day' > %(at)s
        AND CASE t.condition WHEN 'always' THEN true
                             WHEN 'no_mission' THEN p.magic_moment_at IS NULL
                             WHEN 'first_tier_open' THEN p.onboarding_tier = 0 END
        -- A member who was asked whether they are still there is not written to meanwhile.
        AND s.state IS DISTINCT FROM 'goodbye_sent'
        AND engagement_block_reason(
            message_type => CASE t.template_key WHEN 'welcome' THEN 'welcome' ELSE 'sequence' END,
            is_transactional => t.template_key = 'welcome', is_active => m.is_active, directory_status => c.status,
            removed_at => c.deleted_at, has_opted_out => p.reengagement_opt_out, state => s.state,
            announcement_cancelled_at => NULL, is_suppressed => x.user_id IS NOT NULL,
            is_unreachable => %(channels)s::text[] IS NOT NULL
                AND NOT EXISTS (SELECT FROM message_routes(e.user_id, 'individual', '', '', %(channels)s::text[])),
            is_muted => t.template_key <> 'welcome' AND q.topic = ANY (p.muted_topics)
        ) IS NULL
        AND NOT EXISTS (SELECT FROM engagement_message_queue d WHERE d.step_id = t.id AND d.user_id = e.user_id)
    ORDER BY e.id, t.id LIMIT %(most)s
), queued AS (
    INSERT INTO engagement_message_queue (user_id, message_type, message_key, destination, destination_jid,
        scheduled_for, idempotency_key, topic, step_id, status, error_message)
    SELECT user_id, CASE template_key WHEN 'welcome' THEN 'welcome' ELSE 'sequence' END, template_key,
           'individual', address, %(at)s, user_id || ':sequence:' || step_id,
           CASE template_key WHEN 'welcome' THEN '' ELSE topic END, step_id,
           CASE WHEN is_control THEN 'cancelled' ELSE 'pending' END, CASE WHEN is_control THEN %(control)s ELSE '' END
    FROM due ORDER BY user_id, step_id ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM queued
