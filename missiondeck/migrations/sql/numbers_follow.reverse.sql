DROP TRIGGER deck_missions_numbers_follow ON deck_missions;
DROP FUNCTION follow_deck_numbers();
