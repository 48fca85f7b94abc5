"""Schedules: when batches are asked for by themselves."""
