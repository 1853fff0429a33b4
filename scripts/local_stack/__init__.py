"""The pipeline's parts as plain processes on one machine: what run-local and the system tests start."""
