"""Records: vectors under ids of chance, of which those that are nearest to a vector decide what is answered."""
