-- Former loop missions, and the template of each: what the reverse migration needs to restore them.
CREATE TABLE mission_loops_converted (
    mission_id varchar(26) COLLATE "C" PRIMARY KEY,
    template_id varchar(26) COLLATE "C" NOT NULL,
    loop_schedule jsonb,
    is_loop boolean NOT NULL,
    list text NOT NULL
);
COMMENT ON TABLE mission_loops_converted IS
    'Former loop missions, and the template of each; read by the reverse migration only.';
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE ALL ON mission_loops_converted FROM missionsite_app;
    END IF;
END $$;
