"""The figures that the project promises, each printed by the module that measures it."""
