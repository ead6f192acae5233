-- name: SweepSessions :exec
DELETE FROM gatehouse.sessions WHERE expires_at < now() - interval '1 day';

-- name: SweepSignIns :exec
DELETE FROM gatehouse.sign_in_attempts WHERE expires_at < now() - interval '1 day';

-- name: SweepCredentials :exec
-- Only those that the server made for itself; what a person made stays on the list as ended.
DELETE FROM gatehouse.machine_credentials WHERE expires_at < now() - interval '1 day' AND created_by = 'Gatehouse server';
