-- Returns the inactivity after which a member is sent the next goodbye: doubled for each goodbye in a row that had no real
-- answer, and at most `at_most`, or `inactive_after` if that is longer. Used by the daily sweep and the back office.
CREATE OR REPLACE FUNCTION wait_before_goodbye(unanswered integer, inactive_after interval, at_most interval)
RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
-- More than 20 doublings would leave the range of dates.
RETURN least(inactive_after * (2 ^ least(unanswered, 20)), greatest(inactive_after, at_most));
