"""Compares a dense and a sparse model: their attention maps, sentence embeddings and linear layers."""
