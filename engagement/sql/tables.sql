-- What the models cannot declare: cascades in the database, constraints, storage.

-- Deleting a member deletes their rows here, also by raw SQL.
DO $$
DECLARE
    link record;
BEGIN
    FOR link IN
        SELECT c.conname, c.conrelid::regclass AS of
        FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum]
        WHERE c.contype = 'f' AND c.confrelid = 'members'::regclass AND a.attname = 'user_id'
            AND c.conrelid = ANY (ARRAY[
                'user_engagement_states', 'engagement_state_transitions', 'engagement_message_queue', 'user_profiles',
                'engagement_inbound_messages'
            ]::regclass[])
    LOOP
        EXECUTE format(
            'ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I FOREIGN KEY (user_id)'
            ' REFERENCES members (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED',
            link.of, link.conname, link.conname
        );
    END LOOP;
END $$;

ALTER TABLE engagement_message_queue ADD CONSTRAINT engagement_message_queue_params_object
    CHECK (jsonb_typeof(message_params) = 'object');
ALTER TABLE engagement_claims ADD CONSTRAINT engagement_claims_lengths_match
    CHECK (cardinality(message_ids) = cardinality(user_ids));

ALTER TABLE user_engagement_states SET (fillfactor = 80);
-- Claiming does not update messages, so their pages need no free space.
ALTER TABLE engagement_message_queue SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02, fillfactor = 100
);
ALTER TABLE engagement_transports SET (fillfactor = 50);
ALTER TABLE engagement_claims SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
-- IDs do not compress; EXTERNAL saves the attempt.
ALTER TABLE engagement_claims ALTER message_ids SET STORAGE EXTERNAL, ALTER user_ids SET STORAGE EXTERNAL;
