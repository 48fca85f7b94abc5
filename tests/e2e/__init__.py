"""The product as users run it: real processes, a real database, a simulated HRIMS."""
