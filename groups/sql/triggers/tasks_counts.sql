-- Open tasks are counted per group, by every statement that changes them.
CREATE OR REPLACE TRIGGER tasks_count_added AFTER INSERT ON tasks
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_open_tasks();
CREATE OR REPLACE TRIGGER tasks_count_changed AFTER UPDATE ON tasks
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_open_tasks();
CREATE OR REPLACE TRIGGER tasks_count_removed AFTER DELETE ON tasks
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_open_tasks();
CREATE OR REPLACE TRIGGER tasks_count_truncated AFTER TRUNCATE ON tasks
    FOR EACH STATEMENT EXECUTE FUNCTION reset_counts();
