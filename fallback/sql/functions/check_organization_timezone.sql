-- Rejects a time zone that PostgreSQL does not know: weeks and months of the guardrails are computed in it.
CREATE OR REPLACE FUNCTION check_organization_timezone() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM now() AT TIME ZONE NEW.timezone;
    RETURN NEW;
EXCEPTION WHEN invalid_parameter_value THEN
    RAISE EXCEPTION 'unknown time zone %', NEW.timezone
        USING ERRCODE = 'check_violation', CONSTRAINT = 'organizations_timezone_valid';
END $$;
