std = "max"
max_line_length = 170
globals = { "arg" }
unused_args = false
files["spec"] = { std = "max+busted" }
