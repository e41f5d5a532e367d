-- Drops the rules of API tokens and the request counts.
DROP FUNCTION count_request(text, integer, timestamptz);
DROP TABLE api_request_counts;
DROP TRIGGER api_tokens_only_revoked ON api_tokens;
DROP FUNCTION reject_api_token_change();
ALTER TABLE api_tokens DROP CONSTRAINT api_tokens_scopes_format;
