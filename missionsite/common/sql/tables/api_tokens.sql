-- What the model of API tokens cannot declare: the format of all scopes.
ALTER TABLE api_tokens ADD CONSTRAINT api_tokens_scopes_format CHECK (
    cardinality(scopes) > 0
    AND array_position(scopes, NULL) IS NULL
    AND array_to_string(scopes, ' ') ~ '^[a-z_]+:[a-z_]+( [a-z_]+:[a-z_]+)*$'
);
