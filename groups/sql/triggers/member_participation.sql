-- Every insert queues a change of the daily highlights; counted columns never change.
CREATE OR REPLACE TRIGGER member_participation_queued AFTER INSERT ON member_participation
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION queue_participation_change();
CREATE OR REPLACE TRIGGER member_participation_truncated AFTER TRUNCATE ON member_participation
    FOR EACH STATEMENT EXECUTE FUNCTION clear_participation_changes();
CREATE OR REPLACE TRIGGER member_participation_is_counted BEFORE UPDATE ON member_participation
    FOR EACH ROW
    WHEN (
        (OLD.id, OLD.member_id, OLD.event_type, OLD.occurred_at)
            IS DISTINCT FROM (NEW.id, NEW.member_id, NEW.event_type, NEW.occurred_at)
        OR (OLD.event_type = 'VOICE'
            AND OLD.event_metadata -> 'minutes' IS DISTINCT FROM NEW.event_metadata -> 'minutes')
    )
    EXECUTE FUNCTION reject_counted_change();
