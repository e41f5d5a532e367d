-- Drops the rules between rows.
DROP TRIGGER tasks_open_group_change ON tasks;
DROP TRIGGER tasks_open_group ON tasks;
DROP TRIGGER memberships_open_group_change ON memberships;
DROP TRIGGER memberships_open_group ON memberships;
DROP TRIGGER groups_check_change ON groups;
DROP TRIGGER groups_check ON groups;
DROP TRIGGER groups_reject_retired_stable_id ON groups;
DROP TRIGGER groups_retire_stable_id ON groups;
DROP TRIGGER groups_reject_stable_id_change ON groups;
DROP TRIGGER groups_assign_stable_id ON groups;
DROP FUNCTION check_open_group(), check_group(), assign_group_stable_id();
