-- Deletes personal data of a member when the directory erases the member.
CREATE OR REPLACE FUNCTION erase_person_in_projects() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE access_requests SET message = '' WHERE member_id = NEW.person_id;
    UPDATE mission_comments SET body = '-', removed_at = coalesce(removed_at, CURRENT_TIMESTAMP)
    WHERE author_id = NEW.person_id;
    DELETE FROM notifications WHERE member_id = NEW.person_id;
    DELETE FROM member_absences WHERE member_id = NEW.person_id OR deputy_id = NEW.person_id;
    DELETE FROM mission_assignments WHERE member_id = NEW.person_id;
    DELETE FROM mission_stars WHERE member_id = NEW.person_id;
    DELETE FROM project_stars WHERE member_id = NEW.person_id;
    -- What the person wrote at GitHub. `ghost` is GitHub's own name for deleted accounts; such rows are not written again.
    IF OLD.github_username <> '' THEN
        UPDATE github_pr_comments SET author = 'ghost', body = '' WHERE lower(author) = lower(OLD.github_username);
        UPDATE github_pr_reviews SET author = 'ghost', body = '' WHERE lower(author) = lower(OLD.github_username);
        UPDATE github_pull_requests SET author = 'ghost', title = '#' || number
        WHERE lower(author) = lower(OLD.github_username);
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION erase_person_in_projects() FROM PUBLIC;
