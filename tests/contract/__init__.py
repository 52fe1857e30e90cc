"""The remote's contract, nvcf-api.md, in literal paths and JSON: no model of ours."""
