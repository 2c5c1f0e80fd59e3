"""The compiler: capture, graph, passes, schedule, kernels, program; one file a stage."""
