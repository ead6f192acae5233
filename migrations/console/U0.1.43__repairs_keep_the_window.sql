-- undo of V0.1.43.
DROP FUNCTION gatehouse.repair_refusal(uuid);
