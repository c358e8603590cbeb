"""The estimator, its calibration and thresholds, and the versioned artifact."""
