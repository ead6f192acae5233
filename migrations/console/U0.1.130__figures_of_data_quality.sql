-- undo of V0.1.130. What the figures were on past days is forgotten.
DROP TABLE gatehouse.quality_turns;
DROP TABLE gatehouse.quality_days;
