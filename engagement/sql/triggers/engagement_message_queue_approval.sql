-- The messages of an announcement are queued after its approval.
CREATE OR REPLACE TRIGGER engagement_message_queue_announcement_approved AFTER INSERT ON engagement_message_queue
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION reject_unapproved_messages();
