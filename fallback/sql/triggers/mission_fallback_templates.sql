-- Sets updated_at when a row changes, and edited_at when its content does: a template rests until it is edited.
CREATE OR REPLACE TRIGGER mission_fallback_templates_touch_updated_at BEFORE UPDATE ON mission_fallback_templates
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
CREATE OR REPLACE TRIGGER mission_fallback_templates_touch_edited_at
    BEFORE UPDATE OF name, description, acceptance_criteria, flow_id, actor_id, repository_id, estimated_effort_minutes
    ON mission_fallback_templates FOR EACH ROW
    WHEN ((OLD.name, OLD.description, OLD.acceptance_criteria, OLD.flow_id, OLD.actor_id, OLD.repository_id,
           OLD.estimated_effort_minutes)
        IS DISTINCT FROM (NEW.name, NEW.description, NEW.acceptance_criteria, NEW.flow_id, NEW.actor_id,
           NEW.repository_id, NEW.estimated_effort_minutes))
    EXECUTE FUNCTION touch_edited_at();
