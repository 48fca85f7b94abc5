"""The web application: joins the parts, nothing else."""
