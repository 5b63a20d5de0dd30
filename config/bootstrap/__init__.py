"""What happens before Django: environment, system packages, embedded PostgreSQL, processes.

Only the standard library is imported at the top of these modules: they run before anything is installed.
`config.bootstrap.embedded.attach()` is the way in for a test run that wants a database of its own.
"""
