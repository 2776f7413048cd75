"""Pure arithmetic: values and columns in, values and columns out."""
