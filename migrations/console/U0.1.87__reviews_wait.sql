DROP FUNCTION gatehouse.waiting(text);
ALTER FUNCTION gatehouse.waiting_work(text) RENAME TO waiting;
DROP FUNCTION gatehouse.waiting_reviews(text);
