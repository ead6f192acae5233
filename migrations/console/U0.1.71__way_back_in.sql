DROP FUNCTION gatehouse.use_way_back(text, text, text);
DROP TABLE gatehouse.way_back_codes;
