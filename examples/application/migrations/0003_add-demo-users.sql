INSERT INTO example.users (tenant_id, user_id, name, email) VALUES
  (1, 'ada', 'Ada', 'ada@example.com'),
  (1, 'grace', 'Grace', 'grace@example.com'),
  (2, 'zoe', 'Zoë', 'zoe@example.org');

INSERT INTO example.conversations (tenant_id, conversation_id, title) VALUES
  (1, 'lunch', 'Lunch'),
  (1, 'release', 'Release'),
  (2, 'garden', 'Garden');

INSERT INTO example.members (tenant_id, conversation_id, user_id) VALUES
  (1, 'lunch', 'ada'),
  (1, 'lunch', 'grace'),
  (1, 'release', 'ada'),
  (1, 'release', 'grace'),
  (2, 'garden', 'zoe');
