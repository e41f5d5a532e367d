-- The request counts of the rate limit, one row per caller. UNLOGGED: counts need no crash safety, and their commits do
-- not wait for the disk.
CREATE UNLOGGED TABLE api_request_counts (
    caller text PRIMARY KEY,
    minute bigint NOT NULL,
    hits integer NOT NULL,
    hits_before integer NOT NULL
) WITH (fillfactor = 50);
