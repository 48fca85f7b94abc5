"""Schedules: when batches are asked for by themselves. A wish of a person comes in, with a cron line and a
time zone; a batch goes out at each of its times, once, whichever worker asks for it.

``calendar`` says when that is, purely; ``decide`` has what administrators do, each with its audit record;
``fire`` asks when a time has come; ``store`` has the SQL.
"""
