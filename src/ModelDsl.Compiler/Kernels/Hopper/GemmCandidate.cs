namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>A kernel for a product, and what it is expected to take.</summary>
public sealed record GemmCandidate(Kernel Kernel, GemmCost Cost);
