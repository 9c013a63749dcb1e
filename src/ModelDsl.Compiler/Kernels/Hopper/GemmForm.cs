namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>The three products that a linear layer with weights W[N,K] takes in training.</summary>
public enum GemmForm
{
    /// <summary>C[rows,N] = A[rows,K] · W[N,K]ᵀ.</summary>
    Forward,

    /// <summary>C[rows,K] = A[rows,N] · W[N,K], A being the gradient of the outputs.</summary>
    InputGradient,

    /// <summary>C[N,K] = A[rows,N]ᵀ · B[rows,K], A being the gradient of the outputs and B the inputs.</summary>
    WeightGradient,
}
