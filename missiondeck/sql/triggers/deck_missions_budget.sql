-- Notices of budgets that are nearly used or exceeded, when the budget changes.
CREATE OR REPLACE TRIGGER deck_missions_budget_notices AFTER UPDATE OF budget, currency ON deck_missions
    FOR EACH ROW WHEN (OLD.budget IS DISTINCT FROM NEW.budget OR OLD.currency IS DISTINCT FROM NEW.currency)
    EXECUTE FUNCTION record_deck_budget_notice();
