DROP TABLE gatehouse.warehouse_found, gatehouse.drift_withdrawals, gatehouse.drift_acceptances, gatehouse.drift_checks;
