using BenchmarkDotNet.Attributes;
using ModelDsl.Runtime.Tokenization;
using ModelDsl.Testing;

namespace ModelDsl.Benchmarks;

/// <summary>Time per byte of English text; 1 ns is 1000 MB/s.</summary>
public class TokenizerBenchmarks
{
    private const int Megabyte = 1_000_000;

    private Tokenizer _tokenizer = null!;
    private string _text = "";
    private int[] _ids = [];

    [GlobalSetup]
    public void Setup()
    {
        var text = File.ReadAllText(Repository.Shared is null ? Repository.PathTo("LICENSE") : Repository.SharedPath("data", "tinyshakespeare.txt"));
        while (text.Length < Megabyte) text += text;
        _text = text[..Megabyte];
        _tokenizer = Tokenizer.Load(Repository.PathTo("samples", "tiny-v3", "checkpoint"));
        _ids = Encode();
    }

    [Benchmark(OperationsPerInvoke = Megabyte)]
    public int[] Encode() => _tokenizer.Encode(_text);

    [Benchmark(OperationsPerInvoke = Megabyte)]
    public string Decode() => _tokenizer.Decode(_ids, skipSpecial: true);
}
