DELETE FROM message_templates WHERE announcement_id IS NULL;
