-- Wrong passwords and codes of an account from one network, and when the next attempt is evaluated. The account is a
-- digest of what was entered, whether it exists or not. UNLOGGED, as the counts of the rate limit.
CREATE UNLOGGED TABLE password_delays (
    caller text PRIMARY KEY,
    failures integer NOT NULL,
    blocked_until timestamptz NOT NULL,
    changed_at timestamptz NOT NULL
) WITH (fillfactor = 50);
