"""What is made of the figures: targets met or missed, tables, plots, the files of the page."""
