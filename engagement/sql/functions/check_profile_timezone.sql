-- Rejects a time zone that PostgreSQL does not know: it would make every claim of this member's messages fail.
CREATE OR REPLACE FUNCTION check_profile_timezone() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    BEGIN
        IF NEW.timezone ~ '^(UTC|[A-Za-z_]+(/[A-Za-z0-9_+-]+)+)$' THEN
            PERFORM now() AT TIME ZONE NEW.timezone;
            RETURN NEW;
        END IF;
    EXCEPTION WHEN invalid_parameter_value THEN
        NULL;
    END;
    RAISE EXCEPTION 'no time zone: %', NEW.timezone
        USING ERRCODE = 'check_violation', CONSTRAINT = 'user_profiles_timezone_known';
END $$;
