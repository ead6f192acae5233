-- undo of V0.1.57. What a company brought is not forgotten.
DO $$
BEGIN
    IF EXISTS (SELECT FROM gatehouse.runbook_templates) THEN
        RAISE EXCEPTION 'There are runbooks that companies brought; undoing this would forget them.'
            USING ERRCODE = 'restrict_violation', HINT = 'Nothing was changed.';
    END IF;
END $$;
DROP TABLE gatehouse.runbook_templates;
