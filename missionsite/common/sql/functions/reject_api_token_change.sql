-- Rejects every change of a token but its revocation: identity, owner and scopes are fixed, and a revocation is final.
CREATE OR REPLACE FUNCTION reject_api_token_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'token % cannot be changed, only revoked', OLD.prefix
        USING ERRCODE = 'check_violation', CONSTRAINT = 'api_tokens_only_revoked';
END $$;
