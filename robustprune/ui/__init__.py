"""The parts that pages are built from. Besides app.py and pages/, no other code imports streamlit."""
