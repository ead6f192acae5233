DROP TABLE gatehouse.job_runs;
DROP TABLE gatehouse.health_results;
