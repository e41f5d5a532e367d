-- Sets the counts of all runs to 0 when the table of items is truncated.
CREATE OR REPLACE FUNCTION reset_fallback_counts() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE mission_fallback_runs SET generated_count = 0, accepted_count = 0, discarded_count = 0
    WHERE generated_count > 0;
    RETURN NULL;
END $$;
