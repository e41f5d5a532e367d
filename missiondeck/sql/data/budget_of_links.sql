-- Clients whose links were made before costs were recorded do not see the budget.
UPDATE deck_client_links SET hides_budget = true;
