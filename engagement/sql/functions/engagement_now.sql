-- Returns the transaction's time, or the setting engagement.now in simulations.
CREATE OR REPLACE FUNCTION engagement_now() RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(current_setting('engagement.now', true), '')::timestamptz, now());
