"""Where runs, figures and the last reading are kept between runs."""
