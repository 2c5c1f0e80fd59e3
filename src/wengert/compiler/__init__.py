"""The compiler: graph, passes, schedule, kernels, program, a file a stage."""
