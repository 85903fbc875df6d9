"""A batch: intake, plan, workers, cluster, rescore, notify, doctor, redacted copies."""
