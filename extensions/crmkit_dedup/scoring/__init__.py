"""How two records are compared: points for what agrees, vetoes for what rules it out."""
