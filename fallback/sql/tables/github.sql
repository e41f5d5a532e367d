-- The site deletes old deliveries. Reviews and checks go with their pull request only.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE DELETE ON github_pr_reviews, github_check_runs FROM missionsite_app;
        GRANT DELETE ON github_deliveries TO missionsite_app;
    END IF;
END $$;
