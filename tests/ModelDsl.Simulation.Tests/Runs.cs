using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Testing;

namespace ModelDsl.Simulation.Tests;

/// <summary>Described runs.</summary>
internal static class Runs
{
    /// <summary>The published one with its two stages of longer sequences.</summary>
    public static TrainSpec DeepSeekV3 { get; } = Read();

    private static TrainSpec Read()
    {
        var path = Repository.PathTo("samples", "deepseek-v3", "deepseek-v3.dsm");
        return FrontEnd.Bind(SourceText.From(path, File.ReadAllText(path))).Trains.Single(train => train.Name == "LongContext");
    }
}
