-- The notifications of a member that are not archived; those about proposals and runs are the fallback segment.
CREATE MATERIALIZED VIEW mv_notification_counts AS
SELECT member_id, count(*)::integer AS total, count(*) FILTER (WHERE read_at IS NULL)::integer AS unread,
    count(*) FILTER (WHERE kind ~ '^(fallback|proposal|run|guardrail)\.')::integer AS fallback_total,
    count(*) FILTER (WHERE read_at IS NULL AND kind ~ '^(fallback|proposal|run|guardrail)\.')::integer
        AS fallback_unread
FROM notifications WHERE archived_at IS NULL GROUP BY member_id;
CREATE UNIQUE INDEX mv_notification_counts_key ON mv_notification_counts (member_id);
