-- Rules of messages. AFTER triggers: a BEFORE trigger would lock each updated row first.
CREATE OR REPLACE TRIGGER engagement_message_queue_moves AFTER UPDATE OF status ON engagement_message_queue
    FOR EACH ROW
    WHEN (OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('pending', 'sent'), ('pending', 'failed'), ('pending', 'cancelled'),
        ('failed', 'pending'), ('failed', 'cancelled'), ('sent', 'failed')
    ))
    EXECUTE FUNCTION reject_message_move();
CREATE OR REPLACE TRIGGER engagement_message_queue_immutable
    AFTER UPDATE OF idempotency_key, user_id, message_type, id ON engagement_message_queue
    FOR EACH ROW
    WHEN (OLD.idempotency_key <> NEW.idempotency_key OR OLD.user_id <> NEW.user_id
        OR OLD.message_type <> NEW.message_type OR OLD.id <> NEW.id)
    EXECUTE FUNCTION reject_message_change();
CREATE OR REPLACE TRIGGER engagement_message_queue_deadline AFTER UPDATE OF status ON engagement_message_queue
    FOR EACH ROW
    WHEN (NEW.message_type IN ('goodbye', 'clarification', 'reminder') AND OLD.status <> NEW.status
        AND (NEW.status = 'sent' OR OLD.status = 'sent'))
    EXECUTE FUNCTION set_reply_deadline();
