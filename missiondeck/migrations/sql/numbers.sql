-- The sequence of mission numbers.
CREATE SEQUENCE deck_missions_number_seq AS bigint;
