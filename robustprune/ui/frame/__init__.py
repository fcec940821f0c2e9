"""The frame of every page: navigation, the sidebar, sign-in, links to pages, and the messages that replace a missing result."""
