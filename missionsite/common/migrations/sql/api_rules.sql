-- Constraints of API tokens that a model cannot declare, and the request counts of the rate limit.
ALTER TABLE api_tokens ADD CONSTRAINT api_tokens_scopes_format CHECK (
    cardinality(scopes) > 0
    AND array_position(scopes, NULL) IS NULL
    AND array_to_string(scopes, ' ') ~ '^[a-z_]+:[a-z_]+( [a-z_]+:[a-z_]+)*$'
);

-- The identity, owner and scopes of a token never change, and a revocation is final.
CREATE FUNCTION reject_api_token_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'token % cannot be changed, only revoked', OLD.prefix
        USING ERRCODE = 'check_violation', CONSTRAINT = 'api_tokens_only_revoked';
END $$;
CREATE TRIGGER api_tokens_only_revoked BEFORE UPDATE ON api_tokens
    FOR EACH ROW
    WHEN ((OLD.id, OLD.owner_id, OLD.created_by_id, OLD.digest, OLD.prefix, OLD.scopes, OLD.created_at)
          IS DISTINCT FROM
          (NEW.id, NEW.owner_id, NEW.created_by_id, NEW.digest, NEW.prefix, NEW.scopes, NEW.created_at)
          OR NEW.expires_at > OLD.expires_at
          OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at))
    EXECUTE FUNCTION reject_api_token_change();

-- One row per caller. UNLOGGED: counts need no crash safety, and their commits do not wait for the disk.
CREATE UNLOGGED TABLE api_request_counts (
    caller text PRIMARY KEY,
    minute bigint NOT NULL,
    hits integer NOT NULL,
    hits_before integer NOT NULL
) WITH (fillfactor = 50);

-- Counts one request of a caller within a sliding minute. Returns whether it is within the limit.
--
-- The sliding minute is estimated from two calendar minutes: the remaining share of the previous one plus the current
-- one. Rejected requests are not counted, so a caller who keeps trying does not wait longer. `at` is for tests.
CREATE FUNCTION count_request(of_caller text, at_most integer, at timestamptz DEFAULT clock_timestamp())
RETURNS TABLE (allowed boolean, remaining integer, retry_after integer)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    this_minute bigint := floor(extract(epoch FROM at) / 60);
    elapsed numeric := extract(epoch FROM at) / 60 - this_minute;
    spent integer;
    seen api_request_counts%ROWTYPE;
BEGIN
    INSERT INTO api_request_counts AS c (caller, minute, hits, hits_before)
    VALUES (of_caller, this_minute, 1, 0)
    ON CONFLICT (caller) DO UPDATE SET
        minute = greatest(c.minute, this_minute),
        hits = CASE WHEN c.minute >= this_minute THEN c.hits + 1 ELSE 1 END,
        hits_before = CASE WHEN c.minute >= this_minute THEN c.hits_before
                           WHEN c.minute = this_minute - 1 THEN c.hits ELSE 0 END
        WHERE CASE WHEN c.minute >= this_minute THEN c.hits + floor(c.hits_before * (1 - elapsed))
                   WHEN c.minute = this_minute - 1 THEN floor(c.hits * (1 - elapsed)) ELSE 0 END < at_most
    RETURNING c.hits + floor(c.hits_before * (1 - elapsed)) INTO spent;
    IF FOUND THEN
        RETURN QUERY SELECT true, greatest(at_most - spent, 0), 0;
        RETURN;
    END IF;
    SELECT * INTO seen FROM api_request_counts c WHERE c.caller = of_caller;
    IF seen.minute < this_minute THEN
        seen.hits_before := seen.hits;
        seen.hits := 0;
    END IF;
    -- The share of the previous minute shrinks until the next request is within the limit. If the current minute alone
    -- reaches the limit, a request fits in the next minute, once the share of this one has shrunk.
    IF seen.hits < at_most AND seen.hits_before > 0 THEN
        RETURN QUERY SELECT false, 0, greatest(floor(
            (1 - elapsed - (at_most - seen.hits)::numeric / seen.hits_before) * 60)::integer + 1, 1);
    ELSE
        RETURN QUERY SELECT false, 0, greatest(floor(
            (1 - elapsed) * 60 + (1 - at_most::numeric / greatest(seen.hits, 1)) * 60)::integer + 1, 1);
    END IF;
END $$;
