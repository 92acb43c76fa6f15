# Units of src/flow.
