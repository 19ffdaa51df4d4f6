"""Items that residents can apply for: directory, implementations, forms."""
