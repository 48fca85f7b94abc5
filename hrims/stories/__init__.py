"""The story of one request id. Input: an id. Output: runs, attempts and messages, in time order."""
