using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Costs;

public static class FormatBytes
{
    /// <summary>Of a value in memory or on the wire: FP8 with a scale, LogFMT with a range for every 128.</summary>
    public static double Of(NumberFormat format) => format switch
    {
        NumberFormat.Fp32 => 4,
        NumberFormat.Bf16 or NumberFormat.Fp16 => 2,
        NumberFormat.E5M6 => 1.5 + 4 / 128.0,
        NumberFormat.LogFmt10 => 1.25 + 8 / 128.0,
        NumberFormat.LogFmt8 => 1 + 8 / 128.0,
        _ => 1 + 4 / 128.0,
    };
}
