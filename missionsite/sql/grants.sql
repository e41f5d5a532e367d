-- The site's role deletes only where the product does; whatever else it may write is never deleted by it. Foreign keys
-- with ON DELETE CASCADE and the functions that erase a person delete with the privileges of the owner.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE DELETE ON ALL TABLES IN SCHEMA public FROM missionsite_app;
        GRANT DELETE ON
            -- Sessions, roles and their permissions.
            django_session, members_groups, auth_group_permissions,
            -- Counts of requests and stored responses, which expire.
            api_request_counts, api_idempotency_keys,
            -- Jobs, their workers and leases.
            procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers, procrastinate_workers,
            worker_processes, engagement_claims,
            -- A mission whose acceptance is undone, a dependency, a role in a project, an item of a checklist.
            missions, mission_dependencies, project_members, dod_items
        TO missionsite_app;
        -- With UPDATE, setval() could move a sequence so far that no number is left, also in a transaction that is
        -- rolled back.
        ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE UPDATE ON SEQUENCES FROM missionsite_app;
        REVOKE UPDATE ON ALL SEQUENCES IN SCHEMA public FROM missionsite_app;
    END IF;
END $$;
