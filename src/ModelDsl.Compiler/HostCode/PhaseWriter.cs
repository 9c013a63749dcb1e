using System.Text.RegularExpressions;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Scheduling;

namespace ModelDsl.Compiler.HostCode;

/// <summary>Writes the methods that launch a phase.</summary>
internal sealed class PhaseWriter(CodeWriter code, WeightArena arena)
{
    // Without the indentation.
    private const int LongLine = 130;

    private static readonly DimSymbol[] Sizes =
        [DimSymbol.Tokens, DimSymbol.Context, DimSymbol.LogitRows, DimSymbol.Splits, DimSymbol.MaxPages];

    public void Write(PhasePlan phase)
    {
        var layers = LayerMethods.Find(phase, arena);
        var name = CSharp.Pascal(phase.Name);
        code.Line().Summary(Describe(phase));
        code.Block($"protected override void Play{name}(in Step step)", () =>
        {
            WriteSizes(layers.Segments.Where(segment => segment.Method is null).SelectMany(segment => segment.Steps));
            var buffers = new BufferNames();
            for (var i = 0; i < layers.Segments.Count;)
            {
                if (i > 0 && (layers.Segments[i].Method is null || layers.Segments[i - 1].Method is null)) code.Line();
                if (layers.Segments[i].Method is null)
                {
                    buffers.Forget();
                    WriteLaunches(layers.Segments[i++].Steps, null, buffers);
                }
                else
                {
                    i = WriteCalls(layers.Segments, i);
                }
            }
        });
        foreach (var layer in layers.Methods) WriteMethod(layer);
        if (phase.Taps.Count > 0) WriteTaps(phase, name);
    }

    private static string Describe(PhasePlan phase) => phase.Phase switch
    {
        Phase.Prefill => "Prefill: token ids, i32 [T], in; their rows of every layer's cache, and logits, f32 [L, Vocabulary], out.",
        Phase.Decode => "Decode: a token id of each sequence, i32 [T], in; its row of every layer's cache, and logits, f32 [T, Vocabulary], out.",
        Phase.Greedy => "Greedy choice: logits, f32 [L, Vocabulary], in; the best token of each row, i32 [L], out.",
        Phase.Nucleus => "Nucleus sampling: logits, f32 [L, Vocabulary], and a number in [0, 1) for each row, f32 [L], in; tokens, i32 [L], out.",
        Phase.MtpPrefill or Phase.MtpDecode =>
            "The MTP module: a hidden state, io [T, Hidden], and the token id after it, i32 [T], of each row in; the same of the next, and logits, out.",
        _ => $"The launches of {phase.Name}.",
    };

    private int WriteCalls(List<Segment> segments, int start)
    {
        var method = segments[start].Method!;
        var end = start + 1;
        while (end < segments.Count
            && segments[end].Method == method
            && segments[end].Layer == segments[end - 1].Layer + 1
            && segments[end].Arguments.SequenceEqual(segments[start].Arguments))
            end++;

        var places = string.Concat(
            method.Parameters.Zip(segments[start].Arguments, (parameter, value) => $", {parameter.Name}: {CSharp.Number(value)}"));
        var (first, last) = (segments[start].Layer, segments[end - 1].Layer);
        code.Line(end - start == 1
            ? $"{method.Name}(step, {first}{places});"
            : $"for (var layer = {first}; layer <= {last}; layer++) {method.Name}(step, layer{places});");
        return end;
    }

    private void WriteMethod(LayerMethod method)
    {
        var parameters = string.Concat(method.Parameters.Select(parameter => $", ulong {parameter.Name}"));
        var layers = LayerRanges.Text([.. method.Layers.Select(steps => steps[0].Layer ?? 0)]);
        var places = method.Parameters.Count > 0 ? " Parameters are places there." : "";
        code.Line().Summary(
            $"{(method.Layers.Count == 1 ? "Plays" : "Plays one of")} {layers} on the residual stream, [T, Hidden] in the workspace.{places}");
        code.Block($"private void {method.Name}(in Step step, int layer{parameters})", () =>
        {
            var steps = method.Layers[0];
            WriteSizes(steps);
            if (steps.Any(UsesOwnWeights)) code.Line("var weights = LayerWeights(layer);");
            WriteLaunches(steps, method, new BufferNames());
        });
    }

    private static bool UsesOwnWeights(LaunchStep step) =>
        step.Arguments.Any(argument => argument is WeightArgument weight && WeightArena.LayerOf(weight.Key) == step.Layer);

    private void WriteSizes(IEnumerable<LaunchStep> steps)
    {
        var text = string.Join(" ", steps.Select(step =>
            $"{step.Geometry.GridX.ToCSharp()} {step.Geometry.GridY.ToCSharp()} {step.Geometry.GridZ.ToCSharp()} "
            + string.Join(" ", step.Arguments.Select(argument => argument switch
            {
                DimArgument size => size.Value.ToCSharp(),
                WorkspaceArgument { Extra: { } extra } => extra.ToCSharp(),
                OutputArgument { Extra: { } extra } => extra.ToCSharp(),
                _ => "",
            }))));
        WriteSizes(text);
    }

    private void WriteSizes(string text)
    {
        var used = Sizes.Where(size => Regex.IsMatch(text, $@"\b{new SymbolDim(size).ToCSharp()}\b")).ToList();
        if (used.Count == 0) return;
        var locals = string.Join(", ", used.Select(size => new SymbolDim(size).ToCSharp()));
        var values = string.Join(", ", used.Select(size => $"step.{size}"));
        code.Line(used.Count == 1 ? $"var {locals} = {values};" : $"var ({locals}) = ({values});");
    }

    private void WriteLaunches(LaunchStep[] steps, LayerMethod? method, BufferNames buffers)
    {
        for (var i = 0; i < steps.Length; i++)
        {
            var index = i;
            var step = steps[i];
            var (names, added) = buffers.Of(step, a => method?.ParameterOf(index, a) is not null);
            var arguments = step.Arguments.Select((argument, a) => Mapped(step, a, Argument(argument, step.Layer, method?.ParameterOf(index, a), names[a])));
            code.Line($"// {Comment(step, method)}");
            WritePlaces(added);
            var (threads, shared) = (step.Geometry.Threads, CSharp.Number(step.Geometry.SharedBytes));
            WriteCall($"Stream.Launch({HostCodeGenerator.Field(step.Kernel)}, {Grid(step.Geometry)}, {threads}, {shared},", arguments);
        }
    }

    private void WritePlaces(List<(string Name, long Offset)> places)
    {
        var addresses = places.Select(place => Place(place.Offset)).ToArray();
        var line = $"var ({string.Join(", ", places.Select(place => place.Name))}) = ({string.Join(", ", addresses)});";
        if (places.Count > 1 && line.Length < LongLine) code.Line(line);
        else
            for (var i = 0; i < places.Count; i++) code.Line($"var {places[i].Name} = {addresses[i]};");
    }

    private void WriteCall(string head, IEnumerable<string> arguments)
    {
        var rest = string.Join(", ", arguments) + ");";
        if (head.Length + rest.Length < LongLine) code.Line($"{head} {rest}");
        else code.Line(head).Indented(() => code.Line(rest));
    }

    private static string Comment(LaunchStep step, LayerMethod? method)
    {
        var comment = step.Comment.Replace('\n', ' ').Replace('\r', ' ');
        return method is { Layers.Count: > 1 } && step.Layer is { } layer
            ? comment.Replace(WeightArena.Prefix(layer), "layers.*.").Replace($"cache.{layer} ", "cache.* ")
            : comment;
    }

    private static string Grid(LaunchGeometry geometry) => geometry is { GridY.Constant: 1, GridZ.Constant: 1 }
        ? CSharp.Int(geometry.GridX)
        : $"new Dim3({CSharp.Int(geometry.GridX)}, {CSharp.Int(geometry.GridY)}, {CSharp.Int(geometry.GridZ)})";

    private string Argument(PlanArgument argument, int? layer, string? parameter, string? buffer) => argument switch
    {
        WorkspaceArgument workspace when parameter is not null => Sum("Workspace", parameter, Extra(workspace.Extra)),
        WorkspaceArgument workspace => Sum(buffer!, Extra(workspace.Extra)),
        WeightArgument weight => Sum(
            layer is not null && WeightArena.LayerOf(weight.Key) == layer ? "weights" : Base(weight.Key),
            arena.ConstantOf(weight.Key, weight.Area),
            weight.Offset == 0 ? "" : CSharp.Number(weight.Offset)),
        CacheArgument cache => cache.Layer == layer ? "Cache(layer)" : $"Cache({cache.Layer})",
        TableArgument table => table.Table.ToString(),
        InputArgument input => $"step.{input.Input}",
        OutputArgument output => Sum($"step.{output.Output}", Extra(output.Extra)),
        DimArgument size => CSharp.Int(size.Value),
        _ => throw new InvalidOperationException($"No C# for {argument.GetType().Name}."),
    };

    /// <summary>The address, or the tensor map of what lies there.</summary>
    private static string Mapped(LaunchStep step, int index, string address)
    {
        var parameter = step.Kernel.Parameters[index];
        if (parameter.Map is not { } map) return address;
        var element = parameter.Type switch { DType.BF16 => "BF16", DType.F32 => "F32", _ => "U8" };
        // Of kernels that do not name their rows none has a map that depends on them.
        var given = step.Kernel.Parameters.IndexOf(KernelParameter.Int(step.Kernel.RowsParameter));
        string Size(Dim dim) => CSharp.Int(given < 0 ? dim : dim.Substitute(DimSymbol.Rows, ((DimArgument)step.Arguments[given]).Value));
        return $"Tiles({address}, TensorMapElement.{element}, {Size(map.Rows)}, {Size(map.Columns)}, {map.BoxRows}, {map.BoxColumns}{(map.Groups is { } groups ? $", {groups}" : "")})";
    }

    private static string Base(string key) => WeightArena.LayerOf(key) is { } layer ? $"LayerWeights({layer})" : "Weights";

    private static string Place(long offset) => Sum("Workspace", offset == 0 ? "" : CSharp.Number(offset));

    private static string Extra(Dim? extra) => extra is null ? "" : $"(ulong)({CSharp.Long(extra)})";

    private static string Sum(params string[] terms) => string.Join(" + ", terms.Where(term => term.Length > 0));

    private void WriteTaps(PhasePlan phase, string name)
    {
        code.Line().Line("/// <inheritdoc/>");
        code.Block($"protected override IReadOnlyList<Tap> {name}Taps(in Step step)", () =>
        {
            WriteSizes(string.Join(" ", phase.Taps.SelectMany(tap => tap.Shape.Select(size => size.ToCSharp()))));
            code.Line("return").Line("[").Indented(() =>
            {
                foreach (var tap in phase.Taps)
                {
                    var shape = string.Join(", ", tap.Shape.Select(CSharp.Int));
                    var address = tap.At is WorkspaceArgument { Offset: var offset } ? Place(offset) : null;
                    code.Line($"new Tap({CSharp.Text(tap.Name)}, {Argument(tap.At, null, null, address)}, StorageType.{tap.Type}, {shape}),");
                }
            }).Line("];");
        });
    }
}
