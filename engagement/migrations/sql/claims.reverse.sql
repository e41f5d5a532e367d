-- Claimed messages may have been delivered: they count towards the frequency cap, as after an expired lease.
UPDATE engagement_message_queue q SET attempted_at = k.attempted_at
FROM engagement_claims k WHERE q.id = ANY (k.message_ids) AND q.status = 'pending';
CREATE OR REPLACE FUNCTION erase_person_in_engagement() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE engagement_message_queue
    SET status = 'cancelled', error_message = 'Erased', attempt_token = NULL, lease_expires_at = NULL, claimed_by = ''
    WHERE user_id = NEW.person_id AND status IN ('pending', 'failed');
    UPDATE engagement_message_queue
    SET message_params = '{}', destination_jid = '', provider_message_id = '',
        error_message = CASE WHEN error_message = '' THEN '' ELSE 'Erased' END
    WHERE user_id = NEW.person_id;
    UPDATE user_profiles SET individual_jid = '', group_jid = '', reengagement_opt_out = true
    WHERE user_id = NEW.person_id;
    UPDATE user_profiles_history SET individual_jid = '', group_jid = '' WHERE user_id = NEW.person_id;
    DELETE FROM engagement_inbound_messages WHERE user_id = NEW.person_id;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION redirect_pending_messages() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE engagement_message_queue
    SET destination = NEW.preferred_destination,
        destination_jid = CASE NEW.preferred_destination WHEN 'group' THEN NEW.group_jid ELSE NEW.individual_jid END
    WHERE user_id = NEW.user_id AND status IN ('pending', 'failed') AND attempt_token IS NULL;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION create_member_profiles() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO user_profiles (user_id) SELECT id FROM new_rows;
    INSERT INTO engagement_attention (user_id) SELECT id FROM new_rows;
    RETURN NULL;
END $$;
ALTER TABLE engagement_message_queue SET (fillfactor = 60);
DROP TRIGGER engagement_message_queue_immutable ON engagement_message_queue;
CREATE TRIGGER engagement_message_queue_immutable BEFORE UPDATE ON engagement_message_queue
    FOR EACH ROW
    WHEN (OLD.idempotency_key <> NEW.idempotency_key OR OLD.user_id <> NEW.user_id
        OR OLD.message_type <> NEW.message_type OR OLD.id <> NEW.id)
    EXECUTE FUNCTION reject_message_change();
DROP TRIGGER engagement_message_queue_moves ON engagement_message_queue;
CREATE TRIGGER engagement_message_queue_moves BEFORE UPDATE ON engagement_message_queue
    FOR EACH ROW
    WHEN (OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('pending', 'sent'), ('pending', 'failed'), ('pending', 'cancelled'),
        ('failed', 'pending'), ('failed', 'cancelled'), ('sent', 'failed')
    ))
    EXECUTE FUNCTION reject_message_move();
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') THEN
        GRANT UPDATE ON engagement_claims TO missionsite_app;
    END IF;
END $$;
DROP FUNCTION cancel_announcement_messages(bigint, text);
DROP FUNCTION mark_messages_sent(uuid, bigint[], timestamptz[], text[]);
DROP FUNCTION release_claim(uuid, bigint[]);
DROP FUNCTION claim_messages(
    text, uuid, timestamptz, integer, interval, timestamptz, bigint, text[], time, time, integer, interval
);
DROP TRIGGER engagement_claims_exclusive ON engagement_claims;
DROP FUNCTION reject_double_claim();
ALTER TABLE engagement_claims DROP CONSTRAINT engagement_claims_lengths_match;
ALTER TABLE engagement_claims ALTER message_ids SET STORAGE EXTENDED;
DROP FUNCTION claimed_messages();
