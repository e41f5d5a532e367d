-- Row security for missionsite_member, the role a member's own requests run under.
--
-- A member sees active groups and their own groups, the current members of their missions (no e-mail), their own
-- events and the tasks of those groups; and may join a mission they are eligible for and leave it. The site's role sees
-- everything. Policies name their role, and the site's condition is `true`: any other would keep searches from using an
-- index.

DO $$
BEGIN
    -- With a single role, which owns its tables, policies do not apply; there is nothing to set up.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app')
        OR NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_member')
        OR current_user = 'missionsite_app' THEN
        RETURN;
    END IF;

    ALTER TABLE members ENABLE ROW LEVEL SECURITY;
    ALTER TABLE groups ENABLE ROW LEVEL SECURITY;
    ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
    ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
    ALTER TABLE events ENABLE ROW LEVEL SECURITY;
    ALTER TABLE memberships_history ENABLE ROW LEVEL SECURITY;
    CREATE POLICY members_site ON members TO missionsite_app USING (true) WITH CHECK (true);
    CREATE POLICY groups_site ON groups TO missionsite_app USING (true) WITH CHECK (true);
    CREATE POLICY memberships_site ON memberships TO missionsite_app USING (true) WITH CHECK (true);
    CREATE POLICY tasks_site ON tasks TO missionsite_app USING (true) WITH CHECK (true);
    CREATE POLICY events_site ON events TO missionsite_app USING (true) WITH CHECK (true);
    CREATE POLICY memberships_history_site ON memberships_history TO missionsite_app USING (true) WITH CHECK (true);

    CREATE POLICY members_visible ON members FOR SELECT TO missionsite_member
        USING (
            id = current_member_id()
            OR id IN (SELECT m.member_id FROM memberships m
                      WHERE m.status = 'active' AND m.group_id = ANY ((SELECT current_member_groups())::uuid[]))
        );
    CREATE POLICY groups_visible ON groups FOR SELECT TO missionsite_member
        USING (
            status = 'active'
            OR id IN (SELECT m.group_id FROM memberships m WHERE m.member_id = current_member_id())
        );
    CREATE POLICY tasks_visible ON tasks FOR SELECT TO missionsite_member
        USING (EXISTS (SELECT FROM groups g WHERE g.id = tasks.group_id));
    CREATE POLICY memberships_visible ON memberships FOR SELECT TO missionsite_member
        USING (
            member_id = current_member_id()
            OR (status = 'active' AND group_id = ANY ((SELECT current_member_groups())::uuid[]))
        );
    CREATE POLICY memberships_join ON memberships FOR INSERT TO missionsite_member
        WITH CHECK (
            member_id = current_member_id() AND status = 'active' AND role = 'Member'
            AND current_member_may_join(group_id)
        );
    CREATE POLICY memberships_leave ON memberships FOR UPDATE TO missionsite_member
        USING (member_id = current_member_id() AND status = 'active')
        WITH CHECK (member_id = current_member_id() AND status = 'left');
    CREATE POLICY events_visible ON events FOR SELECT TO missionsite_member
        USING (member_id = current_member_id() OR actor_id = current_member_id());
    CREATE POLICY events_insert_own ON events FOR INSERT TO missionsite_member
        WITH CHECK (
            actor_id = current_member_id() AND member_id = current_member_id()
            AND changeset_id IS NOT DISTINCT FROM audit_changeset_id()
        );

    CREATE POLICY memberships_history_own ON memberships_history FOR INSERT TO missionsite_member
        WITH CHECK (member_id = current_member_id());
    ALTER TABLE pghistory_context ENABLE ROW LEVEL SECURITY;
    CREATE POLICY pghistory_context_site ON pghistory_context TO missionsite_app USING (true) WITH CHECK (true);
    CREATE POLICY pghistory_context_of_request ON pghistory_context TO missionsite_member
        USING (id = nullif(current_setting('pghistory.context_id', true), '')::uuid)
        WITH CHECK (id = nullif(current_setting('pghistory.context_id', true), '')::uuid);
END $$;
