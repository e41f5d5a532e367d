-- Takes the advisory lock that writers share and deletions take exclusively, so that the two cannot deadlock.
-- Writers lock an item before its run, and a dependent mission before the one it depends on; deletions of runs, projects
-- and missions lock in the opposite order. A transaction that writes first and deletes later must take the lock
-- exclusively at its start (services do).
CREATE OR REPLACE FUNCTION take_shared_fallback_lock() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('fallback_rows', 0));
    RETURN NULL;
END $$;
