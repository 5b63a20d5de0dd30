"""Pure rules: values in, outcomes with explanation rows out."""
