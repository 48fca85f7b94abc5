"""Joins schedules to the worker: imported by the queue's app, which then looks for them beside its runs."""

from hrims.jobs import queue
from hrims.schedules import fire

queue.BESIDE.append(fire.keep_firing)
