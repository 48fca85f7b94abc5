"""What must survive: faults of the database and of workers, kills, bad servers, random histories."""
