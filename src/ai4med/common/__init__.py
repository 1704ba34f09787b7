"""What is handed around: images, their formats, their properties, and the context that holds them."""
