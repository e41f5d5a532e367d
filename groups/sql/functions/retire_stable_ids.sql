-- Records the stable IDs of deleted rows, so that they are not reused.
CREATE OR REPLACE FUNCTION retire_stable_ids() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO retired_stable_ids (stable_id)
    SELECT coalesce(to_jsonb(r) ->> 'stable_id', to_jsonb(r) ->> 'member_id') FROM old_rows r
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION retire_stable_ids() FROM PUBLIC;
