"""Many runs from one YAML file, on this machine or on a Dask cluster: the file, the plan, what a worker does, and who the workers are."""
