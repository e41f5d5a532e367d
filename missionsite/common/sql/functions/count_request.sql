-- Counts one request of a caller within a sliding minute. Returns whether it is within the limit.
--
-- The sliding minute is estimated from two calendar minutes: the remaining share of the previous one plus the current
-- one. Rejected requests are not counted, so a caller who keeps trying does not wait longer. `at` is for tests.
CREATE OR REPLACE FUNCTION count_request(of_caller text, at_most integer, at timestamptz DEFAULT clock_timestamp())
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
