# Units of src/policy.
