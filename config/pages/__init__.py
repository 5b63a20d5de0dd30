"""Pages that look at every app: home, progress, the trail. Mounted by config.urls, imported by nobody else."""
