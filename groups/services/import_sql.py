"""The statements of an import of members, in the order they run.

`%(given)s` names the columns of the file; other columns do not change.
"""

from missionsite.common.constraints import CONTROL_CHARACTERS, ONE_LINE_ERROR

# Drops the temporary tables of an earlier import in the same transaction.
CLEAR = "DROP TABLE IF EXISTS pg_temp.import_lines, pg_temp.import_rows, pg_temp.import_errors"

# The rows of the file. fault: why a row could not be parsed; its other columns are empty then.
STAGE = """
    CREATE TEMPORARY TABLE import_lines (
        line integer, fault text, fault_at text, email_is_bad boolean, email text, name text, trust_score text,
        telegram_id text, telegram_username text, primary_role text, organization text, country text,
        github_username text, member_id text
    ) ON COMMIT DROP;
    CREATE TEMPORARY TABLE import_errors (line integer, column_name text, sentence text) ON COMMIT DROP
"""
COPY = """
    COPY import_lines (line, fault, fault_at, email_is_bad, email, name, trust_score, telegram_id, telegram_username,
        primary_role, organization, country, github_username, member_id) FROM STDIN WITH (NULL '')
"""

# Joins each row with its member (p), found by stable ID, else by e-mail; that member's entry (c); the owners of its
# e-mail (m) and Telegram ID (t); and the changes, in the form of an event's payload.
MATCH = """
    CREATE TEMPORARY TABLE import_rows ON COMMIT DROP AS
    SELECT l.*, CASE WHEN NOT l.email_is_bad THEN lower(l.email) END AS email_key,
           coalesce(p.id, gen_random_uuid()) AS id, p.id IS NULL AS is_new,
           p.updated_at AS member_seen_at, c.updated_at AS entry_seen_at,
           CASE WHEN m.id <> p.id THEN m.member_id END AS email_of,
           CASE WHEN p.id IS NULL OR t.person_id IS DISTINCT FROM p.id THEN t.member_id END AS telegram_id_of,
           g.is_renamed,
           l.telegram_id IS NOT NULL AND c.id IS NULL AS entry_is_new,
           l.telegram_id IS NOT NULL AND c.deleted_at IS NOT NULL AS entry_is_removed,
           l.telegram_id IS NOT NULL AND c.erased_at IS NOT NULL AS entry_is_erased,
           p.id = %(system)s OR (p.is_superuser AND NOT %(changes_administrators)s)
               OR (p.is_staff AND NOT %(changes_staff)s) AS is_protected,
           CASE WHEN p.id IS NOT NULL THEN jsonb_strip_nulls(jsonb_build_object(
               'email', CASE WHEN lower(l.email) <> lower(p.email) THEN 'changed' END,
               'display_name', CASE WHEN l.name <> p.display_name THEN 'changed' END,
               'trust_score', CASE WHEN l.score <> p.trust_score THEN jsonb_build_array(p.trust_score, l.score) END
           )) END AS member_changed,
           CASE WHEN l.telegram_id IS NOT NULL AND c.id IS NOT NULL THEN jsonb_strip_nulls(jsonb_build_object(
               'telegram_id', CASE WHEN l.telegram_id <> c.telegram_id THEN 'changed' END,
               'name', CASE WHEN l.name <> c.name THEN 'changed' END,
               'primary_role', CASE WHEN l.primary_role <> c.primary_role
                   THEN jsonb_build_array(c.primary_role, l.primary_role) END,
               'telegram_username', CASE WHEN 'telegram_username' = ANY (%(given)s::text[])
                   AND l.telegram_username IS DISTINCT FROM c.telegram_username THEN 'changed' END,
               'organization', CASE WHEN 'organization' = ANY (%(given)s::text[])
                   AND l.organization IS DISTINCT FROM c.organization THEN 'changed' END,
               'country', CASE WHEN 'country' = ANY (%(given)s::text[])
                   AND l.country IS DISTINCT FROM c.country THEN 'changed' END,
               'github_username', CASE WHEN 'github_username' = ANY (%(given)s::text[])
                   AND l.github_username IS DISTINCT FROM c.github_username THEN 'changed' END,
               'github_verified', CASE WHEN g.is_renamed AND c.github_verified THEN 'changed' END,
               'reputation_score', CASE WHEN g.is_renamed AND c.reputation_score <> 0 THEN 'changed' END
           )) END AS entry_changed
    FROM (
        SELECT *, CASE WHEN trust_score ~ '^[0-9]{1,10}$'
            THEN CASE WHEN trust_score::bigint <= 2147483647 THEN trust_score::integer END END AS score
        FROM import_lines
    ) l
    LEFT JOIN members m ON lower(m.email) = lower(l.email)
    LEFT JOIN members s ON s.member_id = l.member_id
    LEFT JOIN members p ON p.id = CASE WHEN l.member_id IS NULL THEN m.id ELSE s.id END
    LEFT JOIN community_members c ON c.person_id = p.id
    LEFT JOIN community_members t ON t.telegram_id = l.telegram_id
    CROSS JOIN LATERAL (
        SELECT 'github_username' = ANY (%(given)s::text[])
            AND lower(l.github_username) IS DISTINCT FROM lower(c.github_username) AS is_renamed
    ) g
"""

# Errors of rows that could not be parsed.
CHECK_FAULTS = """
    INSERT INTO import_errors SELECT line, coalesce(fault_at, ''), fault FROM import_rows WHERE fault IS NOT NULL
"""
# Columns without control characters; an e-mail with one is not a valid address.
_ONE_LINE = ("name", "telegram_id", "telegram_username", "organization", "country", "github_username")
# Errors of a row by itself and against stored rows, each as `column: message`. One array per row is faster than a list
# of VALUES per row.
CHECK = r"""
    WITH checked AS MATERIALIZED (
        SELECT r.line, ARRAY[
            CASE WHEN r.email IS NULL THEN 'email: The e-mail is missing.'
                WHEN r.email_is_bad THEN 'email: “' || left(r.email, 60) || '” is not a valid e-mail address.' END,
            CASE WHEN char_length(r.email) > %(email)s
                THEN 'email: The e-mail is longer than ' || %(email)s || ' characters.' END,
            'email: This e-mail belongs to ' || r.email_of || '.',
            CASE WHEN coalesce(r.name, '') ~ '^\s*$' THEN 'name: The name is missing.' END,
            CASE WHEN char_length(r.name) > %(name)s
                THEN 'name: The name is longer than ' || %(name)s || ' characters.' END,
            CASE WHEN r.trust_score IS NOT NULL AND r.score IS NULL THEN CASE
                WHEN r.trust_score ~ '^-[0-9]+$' THEN 'trust_score: The trust score must be zero or more.'
                WHEN r.trust_score ~ '^[0-9]+$' THEN 'trust_score: The trust score must be at most 2147483647.'
                ELSE 'trust_score: The trust score must be a whole number, not “' || left(r.trust_score, 60) || '”.'
                END END,
            CASE WHEN r.member_id IS NOT NULL AND r.is_new
                THEN 'member_id: There is no member “' || left(r.member_id, 60) || '”.' END,
            CASE WHEN r.is_protected AND (r.member_changed <> '{}' OR r.entry_changed <> '{}' OR r.entry_is_new)
                THEN 'member_id: ' || %(protected)s END,
            CASE WHEN r.telegram_id IS NULL AND coalesce(r.telegram_username, r.primary_role, r.organization,
                r.country, r.github_username) IS NOT NULL
                THEN 'telegram_id: Enter the Telegram ID as well: the directory identifies a person by it.' END,
            CASE WHEN char_length(r.telegram_id) > %(telegram_id)s
                THEN 'telegram_id: The Telegram ID is longer than ' || %(telegram_id)s || ' characters.' END,
            'telegram_id: This Telegram ID belongs to ' || r.telegram_id_of || '.',
            CASE WHEN r.entry_is_erased THEN 'telegram_id: ' || %(erased)s
                WHEN r.entry_is_removed THEN 'telegram_id: ' || %(removed)s END,
            CASE WHEN char_length(r.telegram_username) > %(telegram_username)s THEN
                'telegram_username: The Telegram name is longer than ' || %(telegram_username)s || ' characters.' END,
            CASE WHEN r.entry_is_new AND r.primary_role IS NULL
                THEN 'primary_role: A new directory entry needs a role.' END,
            CASE WHEN r.primary_role <> ALL (%(roles)s::text[])
                THEN 'primary_role: There is no role “' || left(r.primary_role, 60) || '”. Valid roles are '
                || array_to_string(%(roles)s::text[], ', ') || '.' END,
            CASE WHEN char_length(r.organization) > %(organization)s
                THEN 'organization: The organisation is longer than ' || %(organization)s || ' characters.' END,
            CASE WHEN char_length(r.country) > %(country)s
                THEN 'country: The country is longer than ' || %(country)s || ' characters.' END,
            CASE WHEN char_length(r.github_username) > %(github_username)s
                THEN 'github_username: The GitHub name is longer than ' || %(github_username)s || ' characters.' END,
            {one_line}
        ] AS found
        FROM import_rows r WHERE r.fault IS NULL
    )
    INSERT INTO import_errors
    SELECT l.line, split_part(e, ': ', 1), substr(e, strpos(e, ': ') + 2)
    FROM checked l CROSS JOIN LATERAL unnest(l.found) AS e
    WHERE num_nonnulls(VARIADIC l.found) > 0 AND e IS NOT NULL
""".replace(
    "{one_line}",
    ",\n            ".join(
        f"CASE WHEN r.{column} ~ '{CONTROL_CHARACTERS}' THEN '{column}: {ONE_LINE_ERROR}' END" for column in _ONE_LINE
    ),
)

# Errors of a row against an earlier row.
CHECK_TWICE = """
    INSERT INTO import_errors
    SELECT r.line, 'email', 'This e-mail is on line ' || f.line || ' already.'
    FROM import_rows r JOIN (
        SELECT email_key, min(line) AS line FROM import_rows GROUP BY email_key HAVING count(*) > 1
    ) f ON f.email_key = r.email_key WHERE r.line > f.line
    UNION ALL
    SELECT r.line, 'telegram_id', 'This Telegram ID is on line ' || f.line || ' already.'
    FROM import_rows r JOIN (
        SELECT telegram_id, min(line) AS line FROM import_rows GROUP BY telegram_id HAVING count(*) > 1
    ) f ON f.telegram_id = r.telegram_id WHERE r.line > f.line
    UNION ALL
    -- One row names the member by stable ID, another by e-mail. The same e-mail twice is reported above.
    SELECT r.line, 'member_id', 'This member is on line ' || f.line || ' already.'
    FROM import_rows r JOIN (
        SELECT id, min(line) AS line, min(email_key) AS email_key
        FROM import_rows WHERE NOT is_new GROUP BY id HAVING count(DISTINCT email_key) > 1
    ) f ON f.id = r.id WHERE r.line > f.line
"""
DELETE_REJECTED = "DELETE FROM import_rows r USING import_errors e WHERE e.line = r.line"
COUNT = """
    SELECT count(*) FILTER (WHERE is_new),
           count(*) FILTER (WHERE NOT is_new AND (member_changed <> '{}' OR entry_is_new OR entry_changed <> '{}')),
           count(*),
           (SELECT count(*) FROM import_errors)
    FROM import_rows
"""
FIRST_ERRORS = "SELECT line, column_name, sentence FROM import_errors ORDER BY line, column_name, sentence LIMIT %s"
ALL_ERRORS = """
    COPY (
        SELECT line, column_name AS "column", sentence AS error FROM import_errors ORDER BY line, column_name, sentence
    ) TO STDOUT WITH (FORMAT csv, HEADER)
"""

# Locks the rows to change; false if one of them has changed since it was matched.
LOCK = """
    WITH locked_members AS MATERIALIZED (
        SELECT m.updated_at = r.member_seen_at AS as_seen FROM import_rows r JOIN members m ON m.id = r.id
        WHERE r.member_changed <> '{}' ORDER BY m.id FOR NO KEY UPDATE OF m
    ), locked_entries AS MATERIALIZED (
        SELECT c.updated_at = r.entry_seen_at AS as_seen
        FROM import_rows r JOIN community_members c ON c.person_id = r.id
        WHERE r.entry_changed <> '{}' ORDER BY c.id FOR NO KEY UPDATE OF c
    )
    SELECT (SELECT count(*) FROM locked_members WHERE as_seen) = count(*) FILTER (WHERE member_changed <> '{}')
        AND (SELECT count(*) FROM locked_entries WHERE as_seen) = count(*) FILTER (WHERE entry_changed <> '{}')
    FROM import_rows
"""
# One event per new member, including the entry, and one per new entry of an existing member.
ADD = """
    WITH people AS (
        INSERT INTO members (id, email, display_name, trust_score)
        SELECT id, email, name, coalesce(score, 0) FROM import_rows WHERE is_new ORDER BY line
        RETURNING id, member_id
    ), entries AS (
        INSERT INTO community_members (person_id, name, telegram_id, telegram_username, primary_role, organization,
            country, github_username, status)
        SELECT id, name, telegram_id, telegram_username, primary_role, organization, country, github_username,
            %(status)s
        FROM import_rows WHERE entry_is_new ORDER BY line
        RETURNING person_id, member_id
    )
    INSERT INTO events (type, actor_id, member_id, payload)
    SELECT CASE WHEN p.id IS NULL THEN 'directory.added' ELSE 'member.created' END, %(actor)s,
           coalesce(p.id, e.person_id),
           jsonb_strip_nulls(jsonb_build_object('stable_id', p.member_id, 'number', e.member_id, 'by', 'import'))
    FROM people p FULL JOIN entries e ON e.person_id = p.id
"""
CHANGE_MEMBERS = """
    WITH changed AS (
        UPDATE members m SET
            email = CASE WHEN lower(m.email) = r.email_key THEN m.email ELSE r.email END,
            display_name = r.name,
            trust_score = coalesce(r.score, m.trust_score)
        FROM import_rows r WHERE r.id = m.id AND r.member_changed <> '{}'
        RETURNING m.id, r.member_changed
    )
    INSERT INTO events (type, actor_id, member_id, payload)
    SELECT 'member.changed', %(actor)s, id, jsonb_build_object('changed', member_changed, 'by', 'import') FROM changed
"""
# A new GitHub name is not verified and has no points.
CHANGE_ENTRIES = """
    WITH changed AS (
        UPDATE community_members c SET
            telegram_id = r.telegram_id,
            name = r.name,
            primary_role = coalesce(r.primary_role, c.primary_role),
            telegram_username = CASE WHEN 'telegram_username' = ANY (%(given)s::text[])
                THEN r.telegram_username ELSE c.telegram_username END,
            organization = CASE WHEN 'organization' = ANY (%(given)s::text[])
                THEN r.organization ELSE c.organization END,
            country = CASE WHEN 'country' = ANY (%(given)s::text[]) THEN r.country ELSE c.country END,
            github_username = CASE WHEN 'github_username' = ANY (%(given)s::text[])
                THEN r.github_username ELSE c.github_username END,
            github_verified = c.github_verified AND NOT r.is_renamed,
            github_verified_at = CASE WHEN NOT r.is_renamed THEN c.github_verified_at END,
            github_profile_data = CASE WHEN NOT r.is_renamed THEN c.github_profile_data END,
            reputation_score = CASE WHEN r.is_renamed THEN 0 ELSE c.reputation_score END
        FROM import_rows r WHERE r.id = c.person_id AND r.entry_changed <> '{}'
        RETURNING c.person_id, c.member_id, r.entry_changed
    )
    INSERT INTO events (type, actor_id, member_id, payload)
    SELECT 'directory.changed', %(actor)s, person_id,
           jsonb_build_object('number', member_id, 'changed', entry_changed, 'by', 'import')
    FROM changed
"""
WRITES = (ADD, CHANGE_MEMBERS, CHANGE_ENTRIES)
