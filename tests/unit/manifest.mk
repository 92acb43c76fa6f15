# Units of src/manifest.
