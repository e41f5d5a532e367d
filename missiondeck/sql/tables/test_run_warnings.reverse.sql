-- Messages become their codes: the reverse of this migration cannot translate them.
ALTER TABLE test_runs DISABLE TRIGGER USER;
UPDATE test_runs SET warnings = (
    SELECT jsonb_agg(CASE jsonb_typeof(w) WHEN 'object' THEN w->'code' ELSE w END ORDER BY place)
    FROM jsonb_array_elements(warnings) WITH ORDINALITY AS listed (w, place)
) WHERE jsonb_path_exists(warnings, '$[*] ? (@.type() == "object")');
ALTER TABLE test_runs ENABLE TRIGGER USER;
ALTER TABLE test_runs
    DROP CONSTRAINT test_runs_warnings_shape,
    ADD CONSTRAINT test_runs_warnings_shape CHECK (
        jsonb_typeof(warnings) = 'array' AND NOT jsonb_path_exists(warnings, 'strict $[*] ? (@.type() != "string")')
    );
