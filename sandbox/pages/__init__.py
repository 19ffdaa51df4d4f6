"""Sample pages of departments: good ones, and ones that each break known rules of the access spec."""
