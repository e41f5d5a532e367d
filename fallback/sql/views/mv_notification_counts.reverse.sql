DROP MATERIALIZED VIEW mv_notification_counts;
