-- Rejects messages of an announcement that waits for the approval of a second person.
CREATE OR REPLACE FUNCTION reject_unapproved_messages() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_rows r JOIN engagement_announcements a ON a.id = r.announcement_id
        WHERE a.needs_approval AND a.approved_at IS NULL
    ) THEN
        RAISE EXCEPTION 'the announcement is not approved'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'engagement_message_queue_announcement_approved';
    END IF;
    RETURN NULL;
END $$;
