"""How dates are written, where Django's own choice is not how people here write them."""
