"""A faithful small NVCF: an account that can be deployed to in process or over HTTP."""
