DROP TABLE gatehouse.crossdock_limits;
DROP TABLE gatehouse.crossdock_events;
DROP TABLE gatehouse.crossdock_told;
DROP TABLE gatehouse.crossdock_errands;
