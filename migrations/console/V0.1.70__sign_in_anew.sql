-- title: sign-ins that ask for the password again, and signatures of living sessions alone
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: signatures and sign-ins that have begun, for a moment
-- undo loses: nothing
-- creates: column gatehouse.sign_in_attempts.anew
-- creates: function gatehouse.refuse_ended_session()
-- creates: trigger gatehouse.signatures.signatures_of_living_sessions

-- A sign-in after "switch user": whoever comes back has to have typed a password now.
ALTER TABLE gatehouse.sign_in_attempts ADD COLUMN anew boolean NOT NULL DEFAULT false;

-- A request looks its session up once, at its beginning, and may then wait for the release's lock. Where the session was
-- ended meanwhile, by its person, by the provider or with the person's access, nothing is signed. The lock on the session's
-- row makes an end that comes later wait for the commit, so that which of the two was first is never in doubt.
CREATE FUNCTION gatehouse.refuse_ended_session() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM gatehouse.sessions s WHERE s.session_id = NEW.session::uuid FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the session % has ended', NEW.session USING ERRCODE = 'GH002';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION gatehouse.refuse_ended_session() FROM PUBLIC;
CREATE TRIGGER signatures_of_living_sessions BEFORE INSERT ON gatehouse.signatures
    FOR EACH ROW WHEN (NEW.session ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$')
    EXECUTE FUNCTION gatehouse.refuse_ended_session();
