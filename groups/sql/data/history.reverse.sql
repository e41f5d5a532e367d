-- Backs up the rows of history: rolling back the mission schema keeps them, and migrating forward restores them.
CREATE TABLE members_history_backup AS TABLE members_history;
CREATE TABLE groups_history_backup AS TABLE groups_history;
CREATE TABLE memberships_history_backup AS TABLE memberships_history;
CREATE TABLE tasks_history_backup AS TABLE tasks_history;
