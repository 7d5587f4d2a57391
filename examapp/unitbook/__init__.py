"""The unit book: whom to chase and remind, the frozen roster, lists of changes from units, merged and split units, results from elsewhere."""
