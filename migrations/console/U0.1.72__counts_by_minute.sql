DROP TABLE gatehouse.knocks;
