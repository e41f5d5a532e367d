-- Makes members active who were so after their last transition. last_activity_at is updated with the state and not
-- before, so that the log has the number of inactive days. Used by lifecycle.record_activities.
UPDATE user_engagement_states s
SET state = 'active', goodbye_sent_at = NULL, goodbye_expires_at = NULL, remind_at = NULL,
    asked_again_at = NULL, reminder_queued_at = NULL, reminder_expires_at = NULL,
    last_activity_at = greatest(s.last_activity_at, seen.at)
FROM unnest(%(ids)s::uuid[], %(times)s::timestamptz[]) AS seen (user_id, at)
WHERE s.user_id = seen.user_id AND s.user_id = ANY (%(away)s) AND s.state <> 'active'
    AND seen.at > coalesce(
        (SELECT max(t.created_at) FROM engagement_state_transitions t WHERE t.user_id = s.user_id), '-infinity'
    )
