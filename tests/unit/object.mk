# Units of src/object.
