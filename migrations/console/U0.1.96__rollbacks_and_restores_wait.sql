-- undo of V0.1.96. Neither rollbacks nor agreed restores wait for anybody; their pages say so as before.
DROP FUNCTION gatehouse.waits_for(text, text, text, text[], text, text[], text[]);
DROP FUNCTION gatehouse.waiting(text);
DROP FUNCTION gatehouse.waiting_restores();
DROP FUNCTION gatehouse.waiting_rollbacks(text);
ALTER FUNCTION gatehouse.waiting_at_gates(text) RENAME TO waiting;
