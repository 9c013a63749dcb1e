using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.HostCode;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.Models;
using ModelDsl.Runtime.Numerics;
using ModelDsl.Runtime.Tests;

namespace ModelDsl.Compiler.Tests.HostCode;

/// <summary>
/// A plan's generated class, compiled and loaded from a checkpoint of random numbers on a device that only takes notes; says
/// whether the launches are those of the plan.
/// </summary>
internal sealed unsafe class PlayedPlan : IDisposable
{
    private readonly ModelPlan _plan;
    private readonly HostDevice _device = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("dsm").FullName;
    private readonly Dictionary<string, float[]> _stored = [];
    private int _seen;

    public PlayedPlan(ModelPlan plan)
    {
        _plan = plan;
        WriteCheckpoint();
        var type =
            GeneratedCode.Compile(HostCodeGenerator.Generate(plan)).GetType($"ModelDsl.Generated.{HostCodeGenerator.ClassName(plan)}")!;
        using var checkpoint = Checkpoint.Open(_folder);
        var kernels = KernelLibrary.FromMemory(plan.Kernels.ToDictionary(kernel => kernel.Name, _ => ReadOnlyMemory<byte>.Empty));
        Model = (CausalLanguageModel)type.GetMethod("Load")!.Invoke(null, [_device, checkpoint, kernels, null, null])!;
        Session = Model.CreateSession();
    }

    public HostDevice Device => _device;

    public CausalLanguageModel Model { get; }

    public Session Session { get; }

    /// <summary>Compares what was launched since the last call; sizes that are not named are not used.</summary>
    public void ExpectLaunches(PhasePlan phase, Dictionary<DimSymbol, long> sizes)
    {
        var launches = _device.Launches[_seen..];
        _seen = _device.Launches.Count;
        Assert.Equal(phase.Steps.Select(step => step.Kernel.Name), launches.Select(launch => launch.Kernel));
        long Value(Dim size) => size.Evaluate(symbol => sizes[symbol]);

        var workspace = new HashSet<ulong>();
        var caches = new Dictionary<int, ulong>();
        foreach (var (step, launch) in phase.Steps.Zip(launches))
        {
            var geometry = step.Geometry;
            Assert.Equal(
                (Value(geometry.GridX), Value(geometry.GridY), Value(geometry.GridZ)), (launch.Grid.X, launch.Grid.Y, launch.Grid.Z));
            Assert.Equal(step.Arguments.Count, launch.Arguments.Length);
            ExpectMaps(step, launch.Arguments, Value);
            foreach (var (argument, actual) in step.Arguments.Zip(launch.Arguments))
                switch (argument)
                {
                    case WorkspaceArgument at:
                        workspace.Add(actual.Bits - (ulong)at.Offset - (ulong)(at.Extra is null ? 0 : Value(at.Extra)));
                        break;
                    case DimArgument size:
                        Assert.Equal(Value(size.Value), (int)actual.Bits);
                        break;
                    case WeightArgument weight:
                        ExpectWeight(weight, actual.Bits - (ulong)weight.Offset);
                        break;
                    case CacheArgument cache:
                        Assert.Equal(caches.TryAdd(cache.Layer, actual.Bits) ? actual.Bits : caches[cache.Layer], actual.Bits);
                        break;
                    case InputArgument { Input: StepInput.Temperature }:
                        Assert.Equal(0.5f, BitConverter.UInt32BitsToSingle((uint)actual.Bits));
                        break;
                    case InputArgument { Input: StepInput.Valid }:
                        Assert.Equal(_plan.Model.Vocabulary, (int)actual.Bits);
                        break;
                }
        }
        Assert.InRange(workspace.Count, 0, 1);
        Assert.Equal(caches.Count, caches.Values.Distinct().Count());
    }

    /// <summary>There is a map for each argument that is one: of as many rows as the launch has, with tiles as the kernel takes them.</summary>
    private void ExpectMaps(LaunchStep step, KernelArgument[] actual, Func<Dim, long> value)
    {
        foreach (var (parameter, argument) in step.Kernel.Parameters.Zip(actual))
        {
            if (parameter.Map is not { } map) continue;
            var rows = step.Arguments.Items.OfType<DimArgument>().Last().Value;
            long Size(Dim dim) => value(dim.Substitute(DimSymbol.Rows, rows));
            long[] sizes = [Size(map.Columns), Size(map.Rows), .. map.Groups is { } groups ? [groups] : Array.Empty<long>()];
            int[] box = [map.BoxColumns, map.BoxRows, .. map.Groups is null ? [] : new[] { 1 }];
            Assert.Contains(_device.Maps, made => made.Address == argument.Bits && made.Sizes.SequenceEqual(sizes) && made.Box.SequenceEqual(box));
        }
    }

    public void Dispose()
    {
        Session.Dispose();
        Model.Dispose();
        _device.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void ExpectWeight(WeightArgument argument, ulong address)
    {
        var weight = _plan.Weights.Single(weight => weight.Key == argument.Key);
        foreach (var part in weight.Parts)
        {
            var stored = _stored[part.Name];
            var first = (long)part.Row * weight.Columns;
            if (argument.Area == WeightArea.Scales)
                Assert.Equal(FirstBlock(stored, weight).Max(Math.Abs) / 448, ((float*)address)[part.ScaleRow * weight.ScaleColumns]);
            else if (weight.Type == DType.F32)
                Assert.Equal(stored, new ReadOnlySpan<float>((float*)address + first, stored.Length).ToArray());
            else if (weight.Type == DType.BF16)
                Assert.Equal(
                    stored.Select(BFloat16.FromSingle), new ReadOnlySpan<ushort>((ushort*)address + first, stored.Length).ToArray());
            else
                Assert.Equal(
                    stored.Select(Math.Sign),
                    new ReadOnlySpan<byte>((byte*)address + first, stored.Length).ToArray().Select(code => Math.Sign(E4M3.ToSingle(code))));
        }
    }

    private static IEnumerable<float> FirstBlock(float[] stored, WeightTensor weight) =>
        stored.Where((_, i) => i / weight.Columns < weight.Scales!.Rows && i % weight.Columns < weight.Scales.Columns);

    private void WriteCheckpoint()
    {
        var random = new Random(7);
        var writer = new SafetensorsWriter();
        // One tensor may be there in two formats, on the device.
        foreach (var part in _plan.Weights.SelectMany(weight => weight.Parts).DistinctBy(part => part.Name))
        {
            // Away from zero, so that no sign is lost to quantisation.
            var values = new float[part.Elements];
            for (var i = 0; i < values.Length; i++) values[i] = (random.NextSingle() + 0.1f) * (random.Next(2) * 2 - 1);
            _stored.Add(part.Name, values);
            writer.Add(part.Name, values, [.. part.Shape.Select(size => (long)size)]);
        }
        writer.Write(Path.Combine(_folder, "model.safetensors"));
    }
}
