ALTER TABLE engagement_message_queue SET (fillfactor = 60);
DROP TRIGGER engagement_message_queue_stays ON engagement_message_queue;
CREATE TRIGGER engagement_message_queue_stays BEFORE UPDATE ON engagement_message_queue
    FOR EACH ROW
    WHEN (OLD.idempotency_key <> NEW.idempotency_key OR OLD.user_id <> NEW.user_id
        OR OLD.message_type <> NEW.message_type OR OLD.id <> NEW.id)
    EXECUTE FUNCTION refuse_change_of_message();
DROP TRIGGER engagement_message_queue_moves ON engagement_message_queue;
CREATE TRIGGER engagement_message_queue_moves BEFORE UPDATE ON engagement_message_queue
    FOR EACH ROW
    WHEN (OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('pending', 'sent'), ('pending', 'failed'), ('pending', 'cancelled'),
        ('failed', 'pending'), ('failed', 'cancelled'), ('sent', 'failed')
    ))
    EXECUTE FUNCTION refuse_message_move();
DROP FUNCTION mark_messages_sent(uuid, bigint[], timestamptz[], text[]);
DROP FUNCTION claim_messages(
    text, uuid, timestamptz, integer, interval, timestamptz, bigint, text[], time, time, integer, interval
);
