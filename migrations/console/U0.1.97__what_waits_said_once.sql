-- undo of V0.1.97.
DROP FUNCTION gatehouse.waiting_for(text, text, jsonb, text[], text[], boolean);
