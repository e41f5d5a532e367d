-- Dependencies: no cycle, counts of the missions, and a lock that prevents deadlocks with deletions.
CREATE OR REPLACE TRIGGER mission_dependencies_no_cycle BEFORE INSERT OR UPDATE ON mission_dependencies
    FOR EACH ROW EXECUTE FUNCTION check_dependency();
CREATE OR REPLACE TRIGGER mission_dependencies_count_new AFTER INSERT ON mission_dependencies
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_dependencies();
CREATE OR REPLACE TRIGGER mission_dependencies_count_changed AFTER UPDATE ON mission_dependencies
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_dependencies();
CREATE OR REPLACE TRIGGER mission_dependencies_count_gone AFTER DELETE ON mission_dependencies
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_dependencies();
CREATE OR REPLACE TRIGGER mission_dependencies_shared_lock BEFORE INSERT OR UPDATE OR DELETE ON mission_dependencies
    FOR EACH STATEMENT EXECUTE FUNCTION take_shared_fallback_lock();
