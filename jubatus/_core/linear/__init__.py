"""Tables of weights and the linear methods that learn them."""
