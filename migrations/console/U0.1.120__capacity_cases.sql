DROP INDEX gatehouse.notices_delivered_alerts;
DROP TABLE gatehouse.bin_sizes;
DROP TABLE gatehouse.capacity_events;
DROP TABLE gatehouse.capacity_bulks;
DROP TABLE gatehouse.capacity_sightings;
DROP TABLE gatehouse.capacity_cases;
DROP TABLE gatehouse.capacity_groups;
DROP FUNCTION gatehouse.capacity_groups_follow();
