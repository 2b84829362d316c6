"""The demonstration that ``make demo`` runs: a tree from commit to deployed update and back."""
