DROP TABLE gatehouse.provider_outages;
DROP FUNCTION gatehouse.holds_half(uuid, uuid, text, text, text);
DROP TABLE gatehouse.signing_codes;
