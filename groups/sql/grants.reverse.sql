-- Revokes what members' own requests may do, and gives the site its default privileges back. Other privileges are dropped
-- with their tables and functions.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        GRANT UPDATE, DELETE ON events TO missionsite_app;
        GRANT DELETE ON pghistory_context TO missionsite_app;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_member') THEN
        REVOKE ALL ON groups, tasks, memberships, events, members, pghistory_context FROM missionsite_member;
        REVOKE SELECT (id, member_id, display_name, trust_score, is_active) ON members FROM missionsite_member;
        REVOKE INSERT (id, member_id, group_id, role, joined_at, status, left_at), UPDATE (status, left_at)
            ON memberships FROM missionsite_member;
        REVOKE INSERT (type, actor_id, member_id, group_id, payload, occurred_at, changeset_id) ON events
            FROM missionsite_member;
    END IF;
END $$;
