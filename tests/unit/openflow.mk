# Units of src/openflow.
