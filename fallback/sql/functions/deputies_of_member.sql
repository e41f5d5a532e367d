-- The members who act for a member now: the deputies of an absent member, and the deputies of those who are absent too.
CREATE OR REPLACE FUNCTION deputies_of_member(absent uuid) RETURNS SETOF uuid
LANGUAGE sql STABLE ROWS 2 SET search_path = public, pg_temp
AS $$
    WITH RECURSIVE found AS (
        SELECT a.deputy_id FROM member_absences a
        WHERE a.member_id = absent AND a.starts_at <= statement_timestamp() AND a.ends_at > statement_timestamp()
        UNION
        SELECT a.deputy_id FROM found
        JOIN member_absences a ON a.member_id = found.deputy_id
        WHERE a.starts_at <= statement_timestamp() AND a.ends_at > statement_timestamp()
    )
    SELECT deputy_id FROM found WHERE deputy_id <> absent
$$;
