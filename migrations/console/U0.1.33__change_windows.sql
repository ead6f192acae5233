-- The releases stay; who undoes this has no windows, no freezes and no overrides any more.
DROP FUNCTION gatehouse.gate_signed(uuid, uuid, text);
DROP FUNCTION gatehouse.change_refusal(uuid, uuid);
DROP FUNCTION gatehouse.change_moment(uuid, uuid, timestamptz);
DROP TABLE gatehouse.apply_override_seconds;
DROP TABLE gatehouse.apply_overrides;
DROP TABLE gatehouse.freezes;
DROP TABLE gatehouse.release_windows;
