-- What the models cannot declare: constraints and storage.

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
