-- Notices of budgets that are nearly used or exceeded.
CREATE OR REPLACE TRIGGER deck_costs_notices AFTER INSERT ON deck_costs
    FOR EACH ROW EXECUTE FUNCTION record_deck_budget_notice();
