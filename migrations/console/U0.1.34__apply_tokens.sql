DROP TABLE gatehouse.apply_token_ends;
DROP TABLE gatehouse.apply_tokens;
