DROP TRIGGER community_members_erased_in_engagement ON community_members;
DROP FUNCTION erase_person_in_engagement();
