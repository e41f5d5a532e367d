-- Ends sequences of members who opted out, are dormant, have left, or are past all steps. Used by services.sequences.
WITH ending AS (
    SELECT e.id, CASE
               WHEN f.has_left THEN 'left'
               WHEN p.reengagement_opt_out THEN 'opted_out'
               WHEN s.state = 'dormant' THEN 'dormant'
               ELSE 'finished'
           END AS reason
    FROM engagement_sequence_members e
    JOIN members m ON m.id = e.user_id
    JOIN user_profiles p ON p.user_id = e.user_id
    LEFT JOIN user_engagement_states s ON s.user_id = e.user_id
    LEFT JOIN community_members c ON c.person_id = e.user_id
    CROSS JOIN LATERAL (
        SELECT NOT m.is_active OR c.deleted_at IS NOT NULL OR c.status NOT IN ('active', 'pending') AS has_left
    ) f
    WHERE e.ended_at IS NULL AND (
        f.has_left OR p.reengagement_opt_out OR s.state = 'dormant'
        OR e.started_at + (%(grace_days)s + (
            SELECT coalesce(max(t.delay_days), 0) FROM engagement_sequence_steps t WHERE t.sequence_id = e.sequence_id
        )) * interval '1 day' <= %(at)s
    )
    ORDER BY e.id LIMIT %(most)s FOR UPDATE OF e SKIP LOCKED
)
UPDATE engagement_sequence_members e SET ended_at = %(at)s, end_reason = ending.reason
FROM ending WHERE e.id = ending.id
