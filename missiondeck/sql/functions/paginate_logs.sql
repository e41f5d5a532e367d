-- Splits logs into pages of whole lines, at most 65,536 bytes each; a longer line is broken. Split by bytes, because a
-- long text is scanned from its start for each character position.
CREATE OR REPLACE FUNCTION paginate_logs(of_run uuid, logs text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    bytes CONSTANT bytea := convert_to(coalesce(logs, ''), 'UTF8');
    total CONSTANT integer := octet_length(bytes);
    here integer := 0;
    until integer;
    piece text;
    after_newline integer;
    number integer := 1;
    line integer := 1;
BEGIN
    DELETE FROM test_run_log_pages WHERE run_id = of_run;
    WHILE here < total LOOP
        until := least(here + 65536, total);
        -- Not inside a character.
        WHILE until < total AND get_byte(bytes, until) & 192 = 128 LOOP
            until := until - 1;
        END LOOP;
        piece := convert_from(substring(bytes FROM here + 1 FOR until - here), 'UTF8');
        IF until < total THEN
            after_newline := position(E'\n' IN reverse(piece)) - 1;
            IF after_newline > 0 THEN
                piece := left(piece, -after_newline);
            END IF;
        END IF;
        here := here + octet_length(piece);
        INSERT INTO test_run_log_pages (run_id, page, first_line, text)
        VALUES (of_run, number, line, CASE WHEN right(piece, 1) = E'\n' THEN left(piece, -1) ELSE piece END);
        number := number + 1;
        line := line + length(piece) - length(replace(piece, E'\n', ''));
    END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION paginate_logs(uuid, text) FROM PUBLIC;
