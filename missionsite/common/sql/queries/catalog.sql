-- What a restored database must have: kind, name and definition of each object (missionsite/common/backup.py).
-- Privileges that were never changed are those of acldefault. A dump spells some CHECK constraints with other parentheses and casts, so definitions are compared without them.
WITH objects (kind, name, definition) AS (
    SELECT 'table', c.relname::text,
        concat_ws(' ', c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relowner::regrole,
            (SELECT string_agg(acl::text, ',' ORDER BY acl::text) FROM unnest(coalesce(c.relacl, acldefault('r', c.relowner))) acl))
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
    UNION ALL
    SELECT 'constraint', format('%s.%s', k.conrelid::regclass, k.conname),
        concat_ws(' ', k.convalidated, pg_get_constraintdef(k.oid))
    FROM pg_constraint k WHERE k.connamespace = 'public'::regnamespace AND k.conrelid <> 0
    UNION ALL
    SELECT 'index', i.indexrelid::regclass::text, concat_ws(' ', i.indisvalid, pg_get_indexdef(i.indexrelid))
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'policy', format('%s.%s', p.polrelid::regclass, p.polname),
        concat_ws(' ', p.polcmd, p.polpermissive,
            (SELECT string_agg(r::regrole::text, ',' ORDER BY r::regrole::text) FROM unnest(p.polroles) r),
            pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
    FROM pg_policy p
    UNION ALL
    SELECT 'trigger', format('%s.%s', t.tgrelid::regclass, t.tgname),
        concat_ws(' ', t.tgenabled, pg_get_triggerdef(t.oid))
    FROM pg_trigger t WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'function', p.oid::regprocedure::text,
        concat_ws(' ', p.prosecdef, p.proconfig::text, p.proowner::regrole, p.prosrc,
            (SELECT string_agg(acl::text, ',' ORDER BY acl::text) FROM unnest(coalesce(p.proacl, acldefault('f', p.proowner))) acl))
    FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'extension', e.extname::text, '' FROM pg_extension e
)
SELECT kind, name, md5(regexp_replace(definition, '[()\s]|::[a-z ]+(\[\])?', '', 'g')) FROM objects
