"""What ggtui talks to, one package per neighbour; they do not know each other."""
