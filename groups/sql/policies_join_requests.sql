-- Row security and privileges of join requests: the site reads and writes them; a member sees their own, asks, enters the
-- waiting list of an open mission, withdraws, and answers an invitation or an offered place.
ALTER TABLE join_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE join_requests FORCE ROW LEVEL SECURITY;

CREATE POLICY join_requests_owner ON join_requests TO CURRENT_USER USING (true) WITH CHECK (true);

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') OR current_user = 'missionsite_app' THEN
        RETURN;
    END IF;
    CREATE POLICY join_requests_site ON join_requests TO missionsite_app USING (true) WITH CHECK (true);
    REVOKE DELETE ON join_requests FROM missionsite_app;
    GRANT EXECUTE ON FUNCTION taken_places(uuid), free_places(uuid) TO missionsite_app;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_member') THEN
        RETURN;
    END IF;
    CREATE POLICY join_requests_visible ON join_requests FOR SELECT TO missionsite_member
        USING (member_id = current_member_id());
    CREATE POLICY join_requests_ask ON join_requests FOR INSERT TO missionsite_member
        WITH CHECK (
            member_id = current_member_id() AND created_by_id = current_member_id() AND status = 'open' AND reason = ''
            AND (
                kind = 'request'
                OR (kind = 'waiting'
                    AND EXISTS (SELECT FROM groups g WHERE g.id = join_requests.group_id AND g.join_policy = 'open'))
            )
        );
    CREATE POLICY join_requests_answer ON join_requests FOR UPDATE TO missionsite_member
        USING (member_id = current_member_id() AND status IN ('open', 'offered'))
        WITH CHECK (
            member_id = current_member_id() AND decided_by_id = current_member_id()
            AND CASE kind
                WHEN 'request' THEN status = 'withdrawn'
                WHEN 'waiting' THEN status IN ('accepted', 'declined', 'withdrawn')
                ELSE status IN ('accepted', 'declined')
            END
        );
    GRANT SELECT ON join_requests TO missionsite_member;
    GRANT INSERT (id, member_id, group_id, kind, status, message, reason, created_by_id, created_at, decided_by_id,
        decided_at, queued_at, offered_until) ON join_requests TO missionsite_member;
    GRANT UPDATE (status, reason, decided_by_id, decided_at) ON join_requests TO missionsite_member;
    GRANT EXECUTE ON FUNCTION free_places(uuid) TO missionsite_member;
END $$;
