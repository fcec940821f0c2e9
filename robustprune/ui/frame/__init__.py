"""What surrounds every page: navigation, the sidebar, signing in, links, and what a page says where something is missing."""
