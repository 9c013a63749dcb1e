using System.Diagnostics;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Lowering;
using Xunit.Abstractions;

namespace ModelDsl.Compiler.Tests.Scheduling;

public class CompileTimeTests(ITestOutputHelper output)
{
    /// <summary>
    /// The best of a few runs, so that a busy machine does not decide; the goal is 300 ms, the limit leaves room for a slow one.
    /// </summary>
    [Fact]
    public void All_of_DeepSeek_V3_compiles_in_a_moment()
    {
        var best = TimeSpan.MaxValue;
        for (var run = 0; run < 4; run++)
        {
            var clock = Stopwatch.StartNew();
            ModelCompilerTests.Compile(Models.V3, BuiltInPrecision.Fp8);
            if (clock.Elapsed < best) best = clock.Elapsed;
        }

        output.WriteLine($"{best.TotalMilliseconds:F0} ms");
        Assert.True(best < TimeSpan.FromSeconds(2), $"{best.TotalMilliseconds:F0} ms");
    }
}
