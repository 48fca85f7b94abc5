"""Scenarios with HRIMS servers that are consistently wrong. Input: a seed. Output: what each run claimed,
judged against the truth. The server follows the contract page; it shares no code with the product or
its simulator.
"""
