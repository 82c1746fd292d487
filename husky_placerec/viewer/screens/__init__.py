"""The pages, as Streamlit runs them from top to bottom at each change."""
