DROP TRIGGER community_members_erased_in_deck ON community_members;
DROP FUNCTION erase_person_in_deck();
