"""The register of institutions: names, vote codes and TINs come in, from a file or a person; the
institution behind an identifier goes out. Workplaces match against it; runs are asked for by it.
"""
