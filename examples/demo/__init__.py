"""What Wengert does, seen in half a minute: `python -m examples.demo`.

It runs a beginner's tutorial, trains two networks on handwritten digits and draws what
happened. All code is as one writes it for PyTorch; only the imports name Wengert.
"""
