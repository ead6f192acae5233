DROP TABLE gatehouse.capacity_walked;
DROP TABLE gatehouse.capacity_walks;
