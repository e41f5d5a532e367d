-- The temporary tables of import_members: the rows of the file, and their errors and warnings.
-- fault: why a row could not be parsed; its other columns are empty then. problems, warnings: what the values of a row
-- have, each as `column: message` on a line of its own.
DROP TABLE IF EXISTS pg_temp.import_lines, pg_temp.import_rows, pg_temp.import_errors, pg_temp.import_warnings;
CREATE TEMPORARY TABLE import_lines (
    line integer, fault text, fault_at text, problems text, warnings text, email_is_bad boolean, email text, name text,
    trust_score text, telegram_id text, telegram_username text, primary_role text, organization text, country text,
    github_username text, member_id text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE import_errors (line integer, column_name text, sentence text) ON COMMIT DROP;
