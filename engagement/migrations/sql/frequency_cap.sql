-- Replaces the table engagement_attention by the column attempted_at of the messages.
UPDATE engagement_message_queue SET attempted_at = sent_at
WHERE attempted_at IS NULL AND sent_at > now() - interval '30 days';
DROP TABLE engagement_attention;
-- Nothing is sent during a migration; claimed messages become due again, with the same idempotency key.
DELETE FROM engagement_claims;
-- Replaced by an index that includes attempted_at.
DO $$
BEGIN
    EXECUTE (SELECT format('DROP INDEX %s', indexrelid::regclass) FROM pg_index
        WHERE indrelid = 'engagement_message_queue'::regclass AND indnatts = 1 AND indpred IS NULL
            AND pg_get_indexdef(indexrelid, 1, false) = 'user_id');
END $$;
