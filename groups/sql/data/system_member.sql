-- The system member, the actor of jobs and commands: it cannot log in. Source: Member.objects.system().
INSERT INTO members (id, member_id, email, display_name)
VALUES ('00000000-0000-0000-0000-000000000000', 'FE-P-00000', 'system@missionsite.example', 'System')
ON CONFLICT DO NOTHING;
