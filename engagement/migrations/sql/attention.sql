-- What was said of members' attention in a list of their own is said by their messages: when each was tried last.
UPDATE engagement_message_queue SET attempted_at = sent_at
WHERE attempted_at IS NULL AND sent_at > now() - interval '30 days';
DROP TABLE engagement_attention;
-- No one sends while the site is migrated; what a sender had in hand is due again, with its key.
DELETE FROM engagement_claims;
-- In the place of this index comes one that also has the times.
DO $$
BEGIN
    EXECUTE (SELECT format('DROP INDEX %s', indexrelid::regclass) FROM pg_index
        WHERE indrelid = 'engagement_message_queue'::regclass AND indnatts = 1 AND indpred IS NULL
            AND pg_get_indexdef(indexrelid, 1, false) = 'user_id');
END $$;
