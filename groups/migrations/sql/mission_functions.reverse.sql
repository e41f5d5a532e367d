-- Drops the two functions.
DROP FUNCTION get_mission_members(uuid);
DROP FUNCTION get_active_missions(uuid, integer);
