"""One module per rule. Add a rule = add a module here and a folder of labelled pages in tests."""
