-- Warnings are messages, which are translated when they are shown, or texts: all of the list is of these kinds.
ALTER TABLE test_runs
    DROP CONSTRAINT test_runs_warnings_shape,
    ADD CONSTRAINT test_runs_warnings_shape CHECK (
        warnings = jsonb_path_query_array(
            warnings,
            'strict $[*] ? (@.type() == "string" || @.code.type() == "string" && @.values.type() == "object")',
            silent => true
        )
    );
