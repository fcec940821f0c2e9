"""What pages are made of: the only code besides app.py and pages/ that imports streamlit."""
