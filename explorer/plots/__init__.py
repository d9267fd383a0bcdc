"""Plotly figures from arrays. They know neither Streamlit nor models."""
