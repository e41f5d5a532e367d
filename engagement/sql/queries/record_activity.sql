-- Records when members were active, at most once a minute. Returns those whose state is another one, whether or not
-- their row was updated. Used by lifecycle.record_activities.
INSERT INTO user_engagement_states AS s (user_id, last_activity_at)
SELECT * FROM unnest(%(ids)s::uuid[], %(times)s::timestamptz[])
ON CONFLICT (user_id) DO UPDATE
    SET last_activity_at = CASE
        WHEN s.state = 'active' THEN greatest(s.last_activity_at, excluded.last_activity_at)
        ELSE s.last_activity_at END
    WHERE s.state <> 'active' OR s.last_activity_at IS NULL
        OR s.last_activity_at < excluded.last_activity_at - interval '1 minute'
RETURNING CASE WHEN state <> 'active' THEN user_id END
