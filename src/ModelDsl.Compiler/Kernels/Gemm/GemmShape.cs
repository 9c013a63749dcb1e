namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>How many rows a matrix product is made for.</summary>
public enum GemmShape
{
    /// <summary>Many: both operands go through shared memory, tile by tile.</summary>
    Tile,

    /// <summary>A few, as in decoding: the weights are read once, straight into registers.</summary>
    Skinny,
}
