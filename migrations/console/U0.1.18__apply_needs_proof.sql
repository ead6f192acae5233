-- undo of V0.1.18
DROP FUNCTION gatehouse.apply_proof(uuid);
DROP FUNCTION gatehouse.fresh_backups();
DROP FUNCTION gatehouse.most_wal_since_backup();
