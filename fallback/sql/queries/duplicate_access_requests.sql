-- The condition of pending requests of an absorbed person for a project that the kept one asks for too; `t` is the request.
t.status = 'pending' AND t.member_id = %(absorbed)s AND EXISTS (
    SELECT FROM access_requests k
    WHERE k.member_id = %(kept)s AND k.project_id = t.project_id AND k.status = 'pending'
)
