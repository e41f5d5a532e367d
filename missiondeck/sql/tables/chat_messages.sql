-- A constraint of chat_messages that a model cannot declare.
ALTER TABLE chat_messages ADD CONSTRAINT chat_messages_code_blocks_shape CHECK (deck_code_blocks_valid(code_blocks));
