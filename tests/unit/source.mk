# Units of src/source.
