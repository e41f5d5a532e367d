-- Returns whether a member is in the control group of this share: always the same members, whatever else changes.
CREATE OR REPLACE FUNCTION in_control_group(member uuid, percent integer) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ('x' || substr(md5('control ' || member::text), 1, 7))::bit(28)::integer % 100 < percent;
