# Units of src/base.
