-- Rejects a claim that contains a message of another claim.
CREATE OR REPLACE FUNCTION reject_double_claim() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_nestloop = off
AS $$
DECLARE
    claimed_id bigint;
BEGIN
    PERFORM pg_advisory_xact_lock('engagement_claims'::regclass::bigint);
    IF NOT EXISTS (SELECT FROM engagement_claims WHERE attempt_token <> NEW.attempt_token) THEN
        RETURN NULL;
    END IF;
    SELECT n.id INTO claimed_id FROM unnest(NEW.message_ids) AS n (id)
    JOIN claimed_messages() h ON h.id = n.id AND h.attempt_token <> NEW.attempt_token LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'message % is already claimed', claimed_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'engagement_claims_exclusive';
    END IF;
    RETURN NULL;
END $$;
