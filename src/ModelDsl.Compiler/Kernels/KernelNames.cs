using System.Globalization;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Kernels;

/// <summary>Pieces of kernel names: only lower case, digits and underscores, and never the same for two values.</summary>
internal static class KernelNames
{
    /// <summary><c>1E-06</c> becomes <c>1em06</c>, <c>2.5</c> becomes <c>2p5</c>.</summary>
    public static string Of(double value) =>
        value.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant().Replace('-', 'm').Replace('.', 'p').Replace("+", "");

    /// <summary><c>_name</c> where the option is on, else nothing.</summary>
    public static string If(bool on, string name) => on ? "_" + name : "";

    /// <summary>The suffix of a kernel that quantises what it computes.</summary>
    public static string Quantized(ScaleRounding? rounding) => rounding switch
    {
        null => "",
        ScaleRounding.PowerOfTwo => "_q8p2",
        _ => "_q8",
    };
}

/// <summary>The two outputs of every kernel that quantises.</summary>
internal static class QuantizedParameters
{
    public static KernelParameter Q { get; } = KernelParameter.Out("q", DType.E4M3);

    public static KernelParameter Scales { get; } = KernelParameter.Out("scales", DType.F32);
}
