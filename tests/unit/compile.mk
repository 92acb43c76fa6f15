# Units of src/compile.
