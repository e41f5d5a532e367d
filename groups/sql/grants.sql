-- Privileges that differ from the default ones: events and history are append-only, and what functions keep is read-only
-- for the site. Members' own requests get the columns they need; policies choose the rows.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE ALL ON SEQUENCE stable_id_p, stable_id_g, stable_id_m, stable_id_t FROM missionsite_app;
        REVOKE INSERT, UPDATE, DELETE ON retired_stable_ids, mission_counters, participation_changes,
            member_daily_highlights FROM missionsite_app;
        REVOKE UPDATE, DELETE, TRUNCATE ON events FROM missionsite_app;
        REVOKE UPDATE, DELETE ON members_history, groups_history, memberships_history, tasks_history,
            community_members_history, community_invitations_history FROM missionsite_app;
        -- pghistory adds to the metadata of a context while its changeset is open, so UPDATE remains.
        REVOKE DELETE ON pghistory_context FROM missionsite_app;
        GRANT EXECUTE ON FUNCTION merge_mission_counters(integer), roll_up_highlights(jsonb, integer, integer),
            rebuild_highlights(jsonb, integer, date, date), erase_directory_entry(uuid) TO missionsite_app;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app')
        AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_member') AND current_user <> 'missionsite_app' THEN
        GRANT EXECUTE ON FUNCTION current_member_groups(), current_member_may_join(uuid) TO missionsite_member;
        GRANT SELECT ON groups, tasks, memberships, mission_counters, mission_counts, events TO missionsite_member;
        GRANT SELECT (id, member_id, display_name, trust_score, is_active) ON members TO missionsite_member;
        GRANT INSERT (id, member_id, group_id, role, joined_at, status, left_at) ON memberships TO missionsite_member;
        GRANT UPDATE (status, left_at) ON memberships TO missionsite_member;
        GRANT INSERT (type, actor_id, member_id, group_id, payload, occurred_at, changeset_id) ON events
            TO missionsite_member;
        -- The history triggers run with the privileges of the role that changes the row.
        GRANT INSERT ON memberships_history TO missionsite_member;
        GRANT SELECT, INSERT, UPDATE ON pghistory_context TO missionsite_member;
    END IF;
END $$;
