-- The citizen of a message is one of deck_citizens. Keys are immutable, and citizens are disabled, not deleted.
ALTER TABLE chat_messages ADD CONSTRAINT chat_messages_citizen_known FOREIGN KEY (citizen) REFERENCES deck_citizens (key);
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE UPDATE, DELETE ON deck_citizens FROM missionsite_app;
        GRANT UPDATE (name, role, position, is_enabled) ON deck_citizens TO missionsite_app;
    END IF;
END $$;
