-- Drops the functions and triggers of the highlights.
ALTER TABLE member_daily_highlights RESET (fillfactor);
ALTER TABLE participation_changes RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
DROP FUNCTION rebuild_highlights(jsonb, integer, date, date), roll_up_highlights(jsonb, integer, integer),
    check_points(jsonb, integer);
DROP TRIGGER member_participation_is_counted ON member_participation;
DROP TRIGGER member_participation_truncated ON member_participation;
DROP TRIGGER member_participation_queued ON member_participation;
DROP FUNCTION reject_counted_change(), clear_participation_changes(), queue_participation_change(),
    participation_amount(varchar, jsonb);
ALTER TABLE member_participation
    DROP CONSTRAINT member_participation_minutes_fit, DROP CONSTRAINT member_participation_time_fits;
