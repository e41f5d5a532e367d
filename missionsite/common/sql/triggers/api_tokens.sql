-- An API token can only be revoked.
CREATE OR REPLACE TRIGGER api_tokens_only_revoked BEFORE UPDATE ON api_tokens
    FOR EACH ROW
    WHEN ((OLD.id, OLD.owner_id, OLD.created_by_id, OLD.digest, OLD.prefix, OLD.scopes, OLD.created_at)
          IS DISTINCT FROM
          (NEW.id, NEW.owner_id, NEW.created_by_id, NEW.digest, NEW.prefix, NEW.scopes, NEW.created_at)
          OR NEW.expires_at > OLD.expires_at
          OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at))
    EXECUTE FUNCTION reject_api_token_change();
