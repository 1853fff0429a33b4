"""What is served: the application, its API and status routes, its errors, and gunicorn around it."""
