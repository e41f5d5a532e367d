-- Row security and privileges of jobs on people: only the site reads and writes them, and deletes none.
ALTER TABLE people_jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE people_jobs FORCE ROW LEVEL SECURITY;

CREATE POLICY people_jobs_owner ON people_jobs TO CURRENT_USER USING (true) WITH CHECK (true);

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') OR current_user = 'missionsite_app' THEN
        RETURN;
    END IF;
    CREATE POLICY people_jobs_site ON people_jobs TO missionsite_app USING (true) WITH CHECK (true);
    REVOKE DELETE ON people_jobs FROM missionsite_app;
END $$;
