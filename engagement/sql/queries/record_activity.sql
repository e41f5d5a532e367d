-- Records when members were active, at most once a minute, and the last two weeks in which they took part, in their time
-- zone. Returns those whose state is another one, whether or not their row was updated. Used by
-- lifecycle.record_activities.
INSERT INTO user_engagement_states AS s (user_id, last_activity_at, took_part_week)
SELECT seen.user_id, seen.at,
       CASE WHEN %(took_part)s THEN date_trunc('week', seen.at AT TIME ZONE p.timezone)::date END
FROM unnest(%(ids)s::uuid[], %(times)s::timestamptz[]) AS seen (user_id, at)
JOIN user_profiles p ON p.user_id = seen.user_id
ORDER BY seen.user_id
ON CONFLICT (user_id) DO UPDATE
    SET last_activity_at = CASE
            WHEN s.state = 'active' THEN greatest(s.last_activity_at, excluded.last_activity_at)
            ELSE s.last_activity_at END,
        took_part_week = greatest(s.took_part_week, excluded.took_part_week),
        took_part_week_before = CASE
            WHEN excluded.took_part_week > s.took_part_week THEN s.took_part_week
            WHEN excluded.took_part_week < s.took_part_week
                THEN greatest(s.took_part_week_before, excluded.took_part_week)
            ELSE s.took_part_week_before END
    WHERE s.state <> 'active' OR s.last_activity_at IS NULL
        OR s.last_activity_at < excluded.last_activity_at - interval '1 minute'
        OR (excluded.took_part_week IS DISTINCT FROM s.took_part_week
            AND excluded.took_part_week > coalesce(s.took_part_week_before, '-infinity'))
RETURNING CASE WHEN state <> 'active' THEN user_id END
