-- The members for whom a member acts now: those who are absent and named the member, or named an absent member whose deputy it is.
CREATE OR REPLACE FUNCTION members_deputised_by(deputy uuid) RETURNS SETOF uuid
LANGUAGE sql STABLE ROWS 2 SET search_path = public, pg_temp
AS $$
    WITH RECURSIVE found AS (
        SELECT a.member_id FROM member_absences a
        WHERE a.deputy_id = deputy AND a.starts_at <= statement_timestamp() AND a.ends_at > statement_timestamp()
        UNION
        SELECT a.member_id FROM found
        JOIN member_absences a ON a.deputy_id = found.member_id
        WHERE a.starts_at <= statement_timestamp() AND a.ends_at > statement_timestamp()
    )
    SELECT member_id FROM found WHERE member_id <> deputy
$$;
