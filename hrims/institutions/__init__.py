"""The register of institutions. Input: names, vote codes and TINs, from a file or a user. Output: the
institution of an identifier; runs are requested for it.

``csv_file`` parses a register file, ``importer`` imports it, ``store`` has the SQL. ``workplaces`` maps the
names of workplaces to institutions.
"""
