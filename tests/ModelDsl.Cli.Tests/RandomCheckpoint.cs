using ModelDsl.Compiler;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Ptx.Targets;
using ModelDsl.Runtime.Checkpoints;

namespace ModelDsl.Cli.Tests;

/// <summary>A checkpoint with all tensors of a file's only model: ones for norms, small normal numbers, the same from run to run.</summary>
internal static class RandomCheckpoint
{
    public static void Write(string file, string folder)
    {
        var model = FrontEnd.Bind(SourceText.From(file, File.ReadAllText(file))).Models.Single();
        var plan = ModelCompiler.Compile(model, BuiltInPrecision.Fp32, new CompileOptions(PtxTarget.Sm80, CompileDefaults.Limits(model))).Plan!;
        var (random, writer) = (new Random(5), new SafetensorsWriter());
        foreach (var part in plan.Weights.SelectMany(weight => weight.Parts).DistinctBy(part => part.Name))
        {
            var values = new float[part.Elements];
            for (var i = 0; i < values.Length; i++)
                values[i] = part.Shape.Count == 1 ? 1 : 0.05f * (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
            writer.Add(part.Name, values, [.. part.Shape.Select(size => (long)size)]);
        }
        writer.Write(Path.Combine(folder, "model.safetensors"));
    }
}
