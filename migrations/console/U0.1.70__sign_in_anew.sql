DROP TRIGGER signatures_of_living_sessions ON gatehouse.signatures;
DROP FUNCTION gatehouse.refuse_ended_session();
ALTER TABLE gatehouse.sign_in_attempts DROP COLUMN anew;
