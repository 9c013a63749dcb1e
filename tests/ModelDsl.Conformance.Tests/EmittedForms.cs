using System.Collections.Concurrent;
using ModelDsl.Compiler;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Importing;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Compiler.Kernels.Loss;
using ModelDsl.Compiler.Kernels.Norm;
using ModelDsl.Compiler.Kernels.Transposed;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Ptx.Targets;
using ModelDsl.Testing;

namespace ModelDsl.Conformance.Tests;

/// <summary>The forms in all PTX that the compiler makes of the samples and the goldens, for every precision and target.</summary>
internal static class EmittedForms
{
    private static readonly PtxTarget[] Targets = [PtxTarget.Sm80, PtxTarget.Sm89, PtxTarget.Sm90a];

    /// <summary>Form to the name of a kernel that has it.</summary>
    public static IReadOnlyDictionary<string, string> OfTheCompiler()
    {
        var kernels = new HashSet<(Kernel, PtxTarget)>();
        foreach (var program in new[] { "deepseek-v3", "tiny-v3" }.Select(Sample))
            foreach (var precision in (PrecisionSpec[])[.. BuiltIn, .. program.Precisions])
                foreach (var target in Targets)
                    kernels.UnionWith(Kernels(program.Models[0], precision, target));
        foreach (var golden in GoldenModel.Variants.Select(GoldenModel.Variant).Prepend(GoldenModel.Micro))
            foreach (var precision in BuiltIn)
                kernels.UnionWith(Kernels(Import(golden), precision, CompileDefaults.Target(precision)));

        foreach (var (tile, output) in new[] { (Fp8GemmTile.Few, DType.BF16), (Fp8GemmTile.Middle, DType.F32), (Fp8GemmTile.Three, DType.BF16), (Fp8GemmTile.Many, DType.BF16) })
            foreach (var groups in new Fp8Groups?[] { null, new ContiguousGroups(32), new MaskedGroups(32, 1024) })
                kernels.Add((new Fp8Gemm(2112, 7168, output, tile, Blocks: 132) { Groups = groups }, PtxTarget.Sm90a));

        foreach (var (tile, output) in new[] { (new FewRowsTile(8, 64, 1), DType.BF16), (new FewRowsTile(128, 64, 4), DType.F32) })
            kernels.Add((new Fp8GemmFewRows(2112, 7168, output, tile), PtxTarget.Sm90a));

        foreach (var groups in new int?[] { null, 32 })
            kernels.Add((new Fp8WeightGradient(2112, 7168, Blocks: 132) { Groups = groups }, PtxTarget.Sm90a));

        foreach (var source in new TransposedSource[] { new PlainSource(DType.BF16), new SwiGluSource(2048, 4096, DType.BF16), new NormalizedSource(2048, DType.F32), new CodesSource() })
            foreach (var width in new[] { 2048, 2046, 2047 })
                kernels.Add((new TransposedQuantizeKernel(source, width, ScaleRounding.PowerOfTwo) { WriteRows = true, Experts = 32 }, PtxTarget.Sm90a));

        foreach (var (n, k, io) in new[] { (2048, 7168, DType.BF16), (2032, 2047, DType.BF16), (16, 2046, DType.F32) })
            kernels.Add((new WeightQuantizeKernel(n, k, io, ScaleRounding.Exact, Transposes: true) { Experts = 32 }, PtxTarget.Sm90a));

        foreach (var (width, io) in new[] { (7168, DType.BF16), (2056, DType.F32) })
            kernels.Add((new RmsNormKernel(width, width, 1e-6, io, Residual: false, WriteOut: true, ScaleRounding.Exact) { Streams = true }, PtxTarget.Sm90a));

        foreach (var (chunk, io) in new[] { (16160, DType.BF16), (101, DType.F32), (102, DType.BF16) })
            kernels.UnionWith(new Kernel[] { new CrossEntropyChunkKernel(chunk, 129280, io), new CrossEntropyGradKernel(chunk, 129280, io, DType.BF16, 0.3), new CrossEntropyLossKernel(129280, 0.3) }.Select(kernel => (kernel, PtxTarget.Sm80)));

        kernels.UnionWith(new Kernel[] { new MlaDecodePlan(), new MlaDecode(128, 2, 128, 0.07, 66), new MlaDecode(128, 1, 128, 0.07, 66) { Fp8Cache = true }, new MlaDecodeCombine(256, 66) }.Select(kernel => (kernel, PtxTarget.Sm90a)));

        foreach (var sequences in new int?[] { null, 16 })
        {
            var prefill = new MlaPrefill(128, 128, 64, 128, Scale: 0.1) { WriteLse = true, Sequences = sequences };
            var backward = Enum.GetValues<MlaGradient>().Select(of => (Kernel)new MlaPrefillBackward(prefill, of));
            kernels.UnionWith(((Kernel[])[prefill, new MlaPrefillDelta(128, 128), new HeadSum(128, 64), .. backward]).Select(kernel => (kernel, PtxTarget.Sm90a)));
        }

        foreach (var form in Enum.GetValues<GemmForm>())
            kernels.Add((new Bf16Gemm(form, 4096, 7168, DType.F32, Bf16GemmTile.Middle, Blocks: 132) { Accumulates = form == GemmForm.WeightGradient }, PtxTarget.Sm90a));

        var forms = new ConcurrentDictionary<string, string>();
        Parallel.ForEach(kernels, entry =>
        {
            foreach (var form in Forms.In(entry.Item1.Emit(entry.Item2).ToText())) forms.TryAdd(form, $"{entry.Item1.Name}, {entry.Item2}");
        });
        return forms;
    }

    private static PrecisionSpec[] BuiltIn => [BuiltInPrecision.Fp32, BuiltInPrecision.Bf16, BuiltInPrecision.Fp8];

    /// <summary>All phases: prefill, decode, greedy and nucleus sampling. Empty where the target lacks what the precision needs.</summary>
    private static IEnumerable<(Kernel, PtxTarget)> Kernels(ModelSpec model, PrecisionSpec precision, PtxTarget target) =>
        ModelCompiler.Compile(model, precision, new CompileOptions(target, CompileDefaults.Limits(model))).Plan is { } plan
            ? plan.Kernels.Select(kernel => (kernel, target))
            : [];

    private static BoundProgram Sample(string name)
    {
        var bound = FrontEnd.Bind(SourceText.From($"{name}.dsm", File.ReadAllText(Repository.PathTo("samples", name, $"{name}.dsm"))));
        Assert.False(bound.HasErrors);
        return bound;
    }

    private static ModelSpec Import(GoldenModel golden)
    {
        var imported = ConfigImporter.Import(SourceText.FromBytes("config.json", File.ReadAllBytes(golden.Config)), "golden");
        return FrontEnd.Bind(SourceText.From("golden.dsm", imported.Text!)).Models[0];
    }
}
