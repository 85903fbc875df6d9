"""How each shipped model is made, and learning from reviews."""
