DROP TABLE participation_changes;
