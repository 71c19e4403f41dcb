"""What the product tells of itself: log lines, metrics, spans; implementations of the telemetry port."""
