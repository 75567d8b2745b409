"""The pictures in docs/images: both front ends, as they draw a recorded conversation, as text, SVG and PNG."""
