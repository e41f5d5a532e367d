-- The numbers of entries, of those with erased details, and of those that are not sealed yet.
SELECT (SELECT count(*) FROM audit_entries), (SELECT count(*) FROM audit_details WHERE erased_by_id IS NOT NULL),
    (SELECT count(*) FROM audit_pending)
