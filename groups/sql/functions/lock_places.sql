-- Locks the places of a mission until the end of the transaction: joining one with a maximum, and offering its places.
CREATE OR REPLACE FUNCTION lock_places(mission uuid) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp
AS $$ SELECT pg_advisory_xact_lock(hashtextextended('places of ' || mission, 0)) $$;
