-- The citizens that existing messages name: those of the seed, in workflow order.
INSERT INTO deck_citizens (id, key, name, role, position) VALUES
    ('c1465973-4c8b-523b-9282-a89eaf57029f', 'emma', 'Emma', '', 1),
    ('5a25dfa8-e47d-5b03-be68-5751246daf3d', 'inna', 'Inna', '', 2),
    ('987c335c-e219-54af-8937-9f29d020e2ed', 'rafael', 'Rafael', 'The Specifier', 3),
    ('431d1fe6-f012-5a02-b69c-32e4b112ee53', 'sofia', 'Sofia', 'Test results', 4),
    ('0d2308b4-6a41-5b1c-88fd-accab62d02f9', 'maya', 'Maya', '', 5);
