-- Drops the policies and revokes the member role's rights.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_policies WHERE schemaname = 'public' AND policyname = 'memberships_site') THEN
        DROP POLICY pghistory_context_of_request ON pghistory_context;
        DROP POLICY pghistory_context_site ON pghistory_context;
        ALTER TABLE pghistory_context DISABLE ROW LEVEL SECURITY;
        REVOKE ALL ON pghistory_context, memberships_history, members, groups, tasks, memberships, mission_counters,
            mission_counts, events FROM missionsite_member;
        REVOKE SELECT (id, member_id, display_name, trust_score, is_active) ON members FROM missionsite_member;
        REVOKE INSERT (id, member_id, group_id, role, joined_at, status, left_at), UPDATE (status, left_at)
            ON memberships FROM missionsite_member;
        REVOKE INSERT (type, actor_id, member_id, group_id, payload, occurred_at) ON events FROM missionsite_member;
        DROP POLICY memberships_history_own ON memberships_history;
        DROP POLICY events_insert_own ON events;
        DROP POLICY events_visible ON events;
        DROP POLICY memberships_leave ON memberships;
        DROP POLICY memberships_join ON memberships;
        DROP POLICY memberships_visible ON memberships;
        DROP POLICY tasks_visible ON tasks;
        DROP POLICY groups_visible ON groups;
        DROP POLICY members_visible ON members;
        DROP POLICY memberships_history_site ON memberships_history;
        DROP POLICY events_site ON events;
        DROP POLICY tasks_site ON tasks;
        DROP POLICY memberships_site ON memberships;
        DROP POLICY groups_site ON groups;
        DROP POLICY members_site ON members;
        ALTER TABLE memberships_history DISABLE ROW LEVEL SECURITY;
        ALTER TABLE events DISABLE ROW LEVEL SECURITY;
        ALTER TABLE tasks DISABLE ROW LEVEL SECURITY;
        ALTER TABLE memberships DISABLE ROW LEVEL SECURITY;
        ALTER TABLE groups DISABLE ROW LEVEL SECURITY;
        ALTER TABLE members DISABLE ROW LEVEL SECURITY;
    END IF;
END $$;
DROP FUNCTION current_member_may_join(uuid), current_member_groups();
