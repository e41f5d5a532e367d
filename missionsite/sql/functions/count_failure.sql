-- Counts an attempt at a password as wrong before it is evaluated. Returns 0, or the seconds to wait if it must not be
-- evaluated; then it is not counted.
--
-- `free` attempts need no wait. After that one attempt is evaluated after a minute, the next after two, after four, and so
-- on up to an hour. A day without an attempt begins anew. `at` is for tests.
CREATE OR REPLACE FUNCTION count_failure(of_caller text, free integer, at timestamptz DEFAULT clock_timestamp())
RETURNS integer
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    wait_until timestamptz;
BEGIN
    INSERT INTO password_delays AS d (caller, failures, blocked_until, changed_at)
    VALUES (of_caller, 1, at + CASE WHEN free <= 1 THEN interval '1 minute' ELSE interval '0' END, at)
    ON CONFLICT (caller) DO UPDATE SET
        failures = CASE WHEN d.changed_at < at - interval '1 day' THEN 1 ELSE d.failures + 1 END,
        blocked_until = at + CASE
            WHEN d.changed_at < at - interval '1 day' OR d.failures + 1 < free THEN interval '0'
            ELSE interval '1 minute' * least(power(2, least(d.failures + 1 - free, 10)), 60) END,
        changed_at = at
        WHERE d.blocked_until <= at;
    IF FOUND THEN
        RETURN 0;
    END IF;
    SELECT d.blocked_until INTO wait_until FROM password_delays d WHERE d.caller = of_caller;
    RETURN greatest(ceil(extract(epoch FROM wait_until - at))::integer, 1);
END $$;
