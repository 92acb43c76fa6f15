# Units of src/ovsdb.
