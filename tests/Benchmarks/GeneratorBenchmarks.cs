using BenchmarkDotNet.Attributes;
using ModelDsl.Generators.Tests;

namespace ModelDsl.Benchmarks;

/// <summary>An edit of a <c>.dsm</c> file until the C# compiler has its new sources, in a process that has seen such edits before.</summary>
public class GeneratorBenchmarks
{
    private const string File = "/p/m.dsm";

    private GeneratorHost _host = null!;
    private string _one = "";
    private string _other = "";
    private bool _isOther;

    /// <summary>The file, and what is typed.</summary>
    [Params("tiny-v3, norm", "tiny-v3, hidden", "tiny-v3, comment", "deepseek-v3, hidden", "deepseek-v3, comment")]
    public string Edit { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        _one = Edit.StartsWith("tiny", StringComparison.Ordinal) ? GeneratorHost.TinyV3 : GeneratorHost.DeepSeekV3;
        _other = Edit switch
        {
            "tiny-v3, norm" => _one.Replace("epsilon: 1e-6", "epsilon: 1e-5"),
            "tiny-v3, hidden" => _one.Replace("hidden     = 160", "hidden     = 192"),
            "deepseek-v3, hidden" => _one.Replace("hidden     = 7168", "hidden     = 7296"),
            _ => "// Something said.\n" + _one,
        };
        if (_one == _other) throw new InvalidOperationException($"'{Edit}' changes nothing.");
        _host = new GeneratorHost((File, _one));
        _host.RunOnce();
    }

    [Benchmark]
    public int Regenerate()
    {
        _isOther = !_isOther;
        _host.Edit(File, _isOther ? _other : _one);
        return _host.RunOnce().GeneratedSources.Length;
    }
}
