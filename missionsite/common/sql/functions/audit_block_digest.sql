-- Returns the digest of a block of the audit, which covers the digest of the block before it. It does not need the ids and
-- leaves of the block, which are emptied with its entries, only their own digest.
CREATE OR REPLACE FUNCTION audit_block_digest(b audit_blocks) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(convert_to(
    json_build_array(
        (b).number, (b).entries, to_char((b).newest_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        encode((b).content, 'hex'), encode((b).previous, 'hex')
    )::text,
    'UTF8'
));
