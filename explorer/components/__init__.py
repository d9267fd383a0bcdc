"""Client-side components: each a folder with its JavaScript and CSS and a thin Python function."""
