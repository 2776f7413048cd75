"""Inside the user's program: runs, outcomes and usage on OpenTelemetry spans."""
