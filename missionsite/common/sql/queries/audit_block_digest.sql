-- The digest of a block, hexadecimal.
SELECT encode(digest, 'hex') FROM audit_blocks WHERE number = %s
