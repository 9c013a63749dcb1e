using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Passes;
using ModelDsl.Compiler.Passes.SelectKernels;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Lowering;
using ModelDsl.Compiler.Tests.Scheduling;

namespace ModelDsl.Compiler.Tests.Passes;

public class PlanMemoryTests
{
    private static readonly string[] All = ["place-precision", "fuse", "select-kernels", "plan-memory"];

    public static TheoryData<string, string, Phase, bool> Cases()
    {
        var cases = new TheoryData<string, string, Phase, bool>();
        foreach (var model in new[] { "Micro", "Odd", "V2Lite", "V3" })
            foreach (var policy in Graphs.Policies)
                foreach (var phase in new[] { Phase.Prefill, Phase.Decode })
                    foreach (var taps in new[] { false, true })
                        cases.Add(model, policy.Name, phase, taps);
        return cases;
    }

    /// <summary>
    /// Plays the launches on a workspace in which every byte remembers the value that was written there last, and checks at every
    /// read that the whole value is still there. Sizes are worked out here from the types, not taken from the plan.
    /// </summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void No_live_value_is_overwritten(string model, string policy, Phase phase, bool taps)
    {
        var limits = ModelCompilerTests.SmallLimits;
        var graph = Graphs.After(Graphs.Lowered(ByName(model), phase, taps), BuiltInPrecision.ByName(policy)!, All);
        var memory = graph.Memory!;
        var owners = new SortedDictionary<long, (long End, int Id)>();
        var views = new Dictionary<int, int>();
        foreach (var op in graph.Ops)
        {
            foreach (var operand in op.Operands.OfType<Temporary>()) AssertIntact(operand, op);
            foreach (var result in op.Results.Cast<Temporary>())
            {
                var view = op.Shares.FirstOrDefault(sharing => sharing.Result == result && sharing.Kind == SharingKind.View);
                if (view is null) foreach (var (start, bytes) in Regions(result)) Write(start, start + bytes, result.Id);
                else views[result.Id] = Owner(((Temporary)view.Operand).Id);
            }
        }

        foreach (var tap in graph.Taps) AssertIntact((Temporary)tap.Value, null);

        int Owner(int id) => views.TryGetValue(id, out var owner) ? owner : id;

        IEnumerable<(long Start, long Bytes)> Regions(Temporary value)
        {
            if (memory.Places[value.Id] is not WorkspacePlace place) yield break;
            long At(Dim dim) => dim.Evaluate(symbol => limits.Of(symbol, phase));
            var elements = At(value.Type.Elements);
            yield return (place.Offset + (place.Extra is { } extra ? At(extra) : 0), elements * value.Type.Type.Bytes());
            if (value.Type.IsQuantised)
                yield return (place.ScalesOffset, elements / value.Type.Width * ((value.Type.Width + 127) / 128) * 4);
        }

        void Write(long start, long end, int id)
        {
            Assert.InRange(start, 0, end);
            Assert.True(end <= memory.Bytes, $"%{id} ends at {end} of {memory.Bytes}");
            foreach (var (at, old) in owners.TakeWhile(entry => entry.Key < end).Where(entry => entry.Value.End > start).ToList())
            {
                owners.Remove(at);
                if (at < start) owners[at] = (start, old.Id);
                if (old.End > end) owners[end] = old;
            }

            owners[start] = (end, id);
        }

        void AssertIntact(Temporary value, Op? reader)
        {
            foreach (var (start, bytes) in Regions(value))
            {
                var (at, owner) = owners.Last(entry => entry.Key <= start);
                Assert.True(
                    owner.Id == Owner(value.Id) && at <= start && owner.End >= start + bytes,
                    $"{value} is read by {reader?.Mnemonic ?? "a tap"} after %{owner.Id} has overwritten it");
            }
        }
    }

    [Theory]
    [InlineData("fp32")]
    [InlineData("bf16")]
    [InlineData("fp8")]
    public void All_layers_of_a_kind_use_the_same_offsets(string policy)
    {
        var plan = ModelCompilerTests.Compile(Models.V3, BuiltInPrecision.ByName(policy)!);
        foreach (var phase in new[] { plan.Prefill, plan.Decode })
        {
            var layers = phase.Steps.Where(step => step.Layer is not null).GroupBy(step => step.Layer!.Value)
                .ToDictionary(group => group.Key, group => string.Join("\n", group.Select(Describe)));
            Assert.All(Enumerable.Range(2, 1), layer => Assert.Equal(layers[1], layers[layer]));
            Assert.All(Enumerable.Range(4, 57), layer => Assert.Equal(layers[3], layers[layer]));
        }

        static string Describe(LaunchStep step) => $"{step.Kernel.Name}({string.Join(", ", step.Arguments.Select(argument => argument switch
        {
            WeightArgument weight => weight.Key.Replace($"layers.{step.Layer}.", "layers.*."),
            CacheArgument => "cache",
            var other => other.ToString(),
        }))})";
    }

    [Fact]
    public void The_stream_stays_in_place()
    {
        var graph = Graphs.After(Graphs.Lowered(Models.V3, Phase.Decode), BuiltInPrecision.Bf16, All);
        var offsets = graph.Ops.OfType<LaunchOp>().Select(op => op.Source).OfType<Compiler.Graph.Ops.FusedNormOp>()
            .Select(norm => ((WorkspacePlace)graph.Memory!.Places[((Temporary)norm.Sum!).Id]).Offset).Distinct();
        Assert.Equal(((WorkspacePlace)graph.Memory!.Places[((Temporary)graph.Ops[0].Results[0]).Id]).Offset, Assert.Single(offsets));
    }

    [Fact]
    public void The_peak_is_that_of_one_layer_and_reuse_pays()
    {
        long Peak(ModelSpec model, params PassCall[] passes) => Graphs.After(
            Graphs.Lowered(model, Phase.Prefill), BuiltInPrecision.Bf16, ModelCompilerTests.SmallLimits, passes).Memory!.Bytes;
        PassCall[] start = [new("place-precision"), new("fuse"), new("select-kernels")];

        var one = Peak(Models.V3 with { Layers = Models.V3.Layers.Skip(3).Take(2).ToEquatable() }, [.. start, new("plan-memory")]);
        var all = Peak(Models.V3, [.. start, new("plan-memory")]);
        Assert.Equal(one, all);
        Assert.True(Peak(Models.V3, [.. start, Graphs.With("plan-memory", "reuse", "off")]) > all);

        // The most that lives at once is attention's: queries, keys and values of the context, results, and the stream.
        var least = 2L * (48 * 128 * 192 + 96 * 128 * 256 + 96 * 64 + 48 * 128 * 128 + 48 * 7168);
        Assert.InRange(all, least, least * 115 / 100);
    }

    [Fact]
    public void Offsets_are_aligned_as_asked()
    {
        foreach (var align in new[] { 16, 256, 4096 })
        {
            var graph = Graphs.After(
                Graphs.Lowered(Models.Odd, Phase.Decode), BuiltInPrecision.Fp8, ModelCompilerTests.SmallLimits,
                new("place-precision"), new("fuse"), new("select-kernels"), Graphs.With("plan-memory", "align", $"{align}"));
            Assert.All(
                graph.Memory!.Places.Values.OfType<WorkspacePlace>(),
                place => Assert.True(place.Offset % align == 0 && place.ScalesOffset % align == 0));
        }

        Assert.Throws<PassException>(() => Graphs.After(
            Graphs.Lowered(Models.Odd, Phase.Decode), BuiltInPrecision.Fp8, ModelCompilerTests.SmallLimits,
            Graphs.With("plan-memory", "align", "24")));
    }

    private static ModelSpec ByName(string name) => name switch
    {
        "Micro" => Models.Micro,
        "Odd" => Models.Odd,
        "V2Lite" => First(Models.V2Lite, 4),
        _ => First(Models.V3, 6),
    };

    /// <summary>All kinds of layers and borders between them, and no more.</summary>
    private static ModelSpec First(ModelSpec model, int layers) => model with { Layers = model.Layers.Take(layers).ToEquatable() };
}
