"""The remote room: what HRIMS sends, over real HTTP on the loopback address."""
