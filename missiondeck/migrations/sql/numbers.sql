-- The numbers people call client missions by.
CREATE SEQUENCE deck_missions_number_seq AS bigint;
