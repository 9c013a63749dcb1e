namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>How a product is cut up.</summary>
public enum GemmShape
{
    /// <summary>Square tiles: many rows.</summary>
    Tile,

    /// <summary>Few rows; the weights stream past them.</summary>
    Skinny,
}
