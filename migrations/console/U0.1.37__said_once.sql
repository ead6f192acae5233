DROP FUNCTION gatehouse.saving_speaks(bigint, timestamptz);
DROP FUNCTION gatehouse.unsettled(uuid);
