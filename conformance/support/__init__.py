"""What the black-box tests share. Nothing here knows the inside of the server."""
