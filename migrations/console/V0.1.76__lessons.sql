-- title: lessons of a release, and that they were acted on
-- risk: low
-- estimate: 1s
-- reversible: yes
-- locks: nothing
-- undo loses: every lesson; it refuses while there is one
-- creates: table gatehouse.release_lessons
-- creates: table gatehouse.release_lesson_marks
-- creates: index gatehouse.release_lessons_by_run

CREATE TABLE gatehouse.release_lessons (
    tenant_id  uuid        NOT NULL,
    lesson_id  uuid        NOT NULL,
    run_id     uuid        NOT NULL,
    happened   text        NOT NULL CONSTRAINT release_lessons_happened_length CHECK (length(btrim(happened)) >= 3 AND length(happened) <= 2000),
    why        text        NOT NULL CONSTRAINT release_lessons_why_length CHECK (length(btrim(why)) >= 3 AND length(why) <= 2000),
    todo       text        NOT NULL CONSTRAINT release_lessons_todo_length CHECK (length(btrim(todo)) >= 3 AND length(todo) <= 2000),
    owner_role text        NOT NULL CONSTRAINT release_lessons_owner_form CHECK (owner_role ~ '^[a-z_]{1,50}$'),
    due_on     date        NOT NULL,
    issuer     text        NOT NULL,
    subject    text        NOT NULL CONSTRAINT release_lessons_subject_filled CHECK (subject <> ''),
    name       text        NOT NULL,
    added_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT release_lessons_pkey PRIMARY KEY (tenant_id, lesson_id),
    CONSTRAINT release_lessons_run FOREIGN KEY (tenant_id, run_id) REFERENCES gatehouse.runs
);
CREATE INDEX release_lessons_by_run ON gatehouse.release_lessons (tenant_id, run_id, added_at);
CREATE TRIGGER release_lessons_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.release_lessons
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.release_lessons ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.release_lessons
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.release_lessons TO gatehouse_app;

-- Somebody says that what a lesson asks for was done, and how. It is said once.
CREATE TABLE gatehouse.release_lesson_marks (
    tenant_id uuid        NOT NULL,
    lesson_id uuid        NOT NULL,
    note      text        NOT NULL CONSTRAINT release_lesson_marks_note_length CHECK (length(btrim(note)) >= 3 AND length(note) <= 2000),
    issuer    text        NOT NULL,
    subject   text        NOT NULL CONSTRAINT release_lesson_marks_subject_filled CHECK (subject <> ''),
    name      text        NOT NULL,
    done_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT release_lesson_marks_pkey PRIMARY KEY (tenant_id, lesson_id),
    CONSTRAINT release_lesson_marks_lesson FOREIGN KEY (tenant_id, lesson_id) REFERENCES gatehouse.release_lessons
);
CREATE TRIGGER release_lesson_marks_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gatehouse.release_lesson_marks
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse.refuse_change();
ALTER TABLE gatehouse.release_lesson_marks ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON gatehouse.release_lesson_marks
    USING (tenant_id = gatehouse.current_tenant()) WITH CHECK (tenant_id = gatehouse.current_tenant());
GRANT SELECT, INSERT ON gatehouse.release_lesson_marks TO gatehouse_app;
