"""What an operator sees of each fault: metrics, alerts, log, /readyz and doctor. Printed as a table.

``stage`` starts the product and Prometheus, ``rows`` lists the faults and what must be seen, ``table`` prints
it.
"""
