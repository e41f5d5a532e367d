-- Restores the privileges before version 1: by default the site's role deletes in every table it may write to, except
-- those whose grants.sql says otherwise.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT UPDATE ON SEQUENCES TO missionsite_app;
        GRANT UPDATE ON ALL SEQUENCES IN SCHEMA public TO missionsite_app;
        REVOKE ALL ON SEQUENCE stable_id_p, stable_id_g, stable_id_m, stable_id_t FROM missionsite_app;
        GRANT DELETE ON api_tokens, auth_group, auth_permission, members, members_user_permissions, groups, memberships,
            tasks, member_participation, member_relationships, community_members, community_invitations,
            django_admin_log, django_content_type, access_requests, actors, code_agent_sessions, flows,
            github_pr_comments, github_pull_requests, heartbeats, message_templates, engagement_announcements,
            engagement_inbound_messages, engagement_transports, mission_fallback_configs, mission_fallback_items,
            mission_fallback_runs, mission_fallback_samples, mission_fallback_templates, notification_preferences,
            notifications, organization_memberships, organizations, project_repositories, project_stars,
            project_workstations, projects, workstation_repositories, workstation_sessions, workstation_worktrees,
            workstations, deck_feeds
        TO missionsite_app;
    END IF;
END $$;
