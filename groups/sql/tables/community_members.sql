-- The numbers of directory entries (#247): assigned by the database and never changed.
CREATE SEQUENCE community_member_number;
