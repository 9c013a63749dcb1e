using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.HostCode;

/// <summary>Writes where the weights lie and which checkpoint tensors they are made of, in loops where layers and experts repeat.</summary>
internal sealed class WeightWriter(CodeWriter code, WeightArena arena, CheckpointNames names)
{
    /// <summary>Constants and the address of a layer.</summary>
    public void WritePlaces()
    {
        WriteConstants("Weights that belong to no layer: offsets from the first byte of all.", "Shared", arena.SharedPlaces);
        foreach (var make in arena.Makes)
        {
            var layers = LayerRanges.Text([.. arena.LayersOf(make)]);
            WriteConstants($"Weights of {layers}: offsets from the layer's first byte.", make.Name, make.Places);
        }
        if (arena.Runs.Count == 0) return;

        code.Line().Summary("Address of a layer's weights.");
        code.Line("private ulong LayerWeights(int layer) => Weights + LayerOffset(layer);");
        code.Line().Summary("Bytes from the first byte of all weights to a layer's.");
        if (arena.Runs.Count == 1)
        {
            code.Line($"private static ulong LayerOffset(int layer) => {Offset(arena.Runs[0])};");
            return;
        }
        code.Block("private static ulong LayerOffset(int layer) => layer switch", () =>
        {
            for (var i = 0; i < arena.Runs.Count; i++)
                code.Line($"{(i == arena.Runs.Count - 1 ? "_" : $"< {arena.Runs[i].End}")} => {Offset(arena.Runs[i])},");
        }, "};");
    }

    /// <summary>The method that describes all weights to the loader.</summary>
    public void WriteDescription()
    {
        code.Line().Summary("Every weight: what it is on the device, where it lies, and the checkpoint's tensors that it is made of.");
        code.Block("private static List<WeightBinding> DescribeWeights()", () =>
        {
            code.Line("var weights = new List<WeightBinding>();");
            foreach (var weight in arena.Shared) WriteBinding(weight, null);
            foreach (var run in arena.Runs)
            {
                code.Line();
                code.Block($"for (var layer = {run.First}; layer < {run.End}; layer++)", () =>
                {
                    code.Line("var at = (long)LayerOffset(layer);");
                    foreach (var weight in run.Make.Weights) WriteBinding(weight, run.Make.Example);
                });
            }
            code.Line().Line("return weights;");
        });
    }

    private void WriteConstants(string summary, string name, List<WeightPlace> places)
    {
        code.Line().Summary(summary);
        code.Block($"private static class {name}", () =>
        {
            for (var i = 0; i < places.Count; i++)
            {
                if (i > 0) code.Line();
                code.Summary(places[i].Description).Line($"public const ulong {places[i].Name} = {CSharp.Number(places[i].Offset)};");
            }
        });
    }

    private static string Offset(LayerRun run)
    {
        var index = run.First == 0 ? "layer" : $"(layer - {run.First})";
        var start = run.Offset == 0 ? "" : CSharp.Number(run.Offset) + " + ";
        return $"{start}(ulong){index} * {CSharp.Number(run.Make.Bytes)}";
    }

    private void WriteBinding(WeightTensor weight, int? layer)
    {
        var at = layer is null ? "(long)" : "at + (long)";
        var place = arena.ConstantOf(weight.Key, Scheduling.WeightArea.Values);
        var scales = weight.Scales is { } block
            ? $"new WeightScales({weight.ScaleRows}, {at}{place}Scales, {block.Rows}, {block.Columns})"
            : "null";
        var rows = CSharp.Number((long)weight.Matrices * weight.Rows);
        var head =
            $"weights.Add(new WeightBinding(WeightType.{weight.Type}, {rows}, {CSharp.Number(weight.Columns)}, {at}{place}, {scales}";
        if (ExpertParts(weight) is { } experts)
        {
            code.Line(head + ",").Indented(() =>
            {
                code.Line($"[.. Enumerable.Range(0, {weight.Matrices}).SelectMany(expert => new[]").Line("{").Indented(() =>
                {
                    foreach (var part in experts) code.Line(Part(part, layer, weight) + ",");
                }).Line("})]));");
            });
            return;
        }
        var parts = weight.Parts.Select(part => Part(new ExpertPart(part, 0, 0), layer, weight)).ToList();
        if (parts.Count == 1)
        {
            code.Line($"{head}, {parts[0]}));");
            return;
        }
        code.Line(head + ",").Indented(() =>
        {
            for (var i = 0; i < parts.Count; i++) code.Line(parts[i] + (i == parts.Count - 1 ? "));" : ","));
        });
    }

    // The parts of the first expert and their distance to the next one's, if all experts are like it.
    private static List<ExpertPart>? ExpertParts(WeightTensor weight)
    {
        if (weight.Matrices < 2 || weight.Parts.Count % weight.Matrices != 0) return null;
        var count = weight.Parts.Count / weight.Matrices;
        var parts = new List<ExpertPart>();
        for (var i = 0; i < count; i++)
        {
            var (first, second) = (weight.Parts[i], weight.Parts[count + i]);
            var (rows, scaleRows) = (second.Row - first.Row, second.ScaleRow - first.ScaleRow);
            if (!first.Name.Contains(".experts.0.")) return null;
            for (var expert = 0; expert < weight.Matrices; expert++)
                if (weight.Parts[expert * count + i] != first with
                {
                    Name = first.Name.Replace(".experts.0.", $".experts.{expert}."),
                    Row = first.Row + expert * rows,
                    ScaleRow = first.ScaleRow + expert * scaleRows,
                })
                    return null;
            parts.Add(new ExpertPart(first, rows, scaleRows));
        }
        return parts;
    }

    private string Part(ExpertPart part, int? layer, WeightTensor weight)
    {
        var source = part.Source;
        var name = names.Reference(source.Name, layer, part.Rows > 0 ? "expert" : null);
        var rows = source.Shape.Count == 1 ? 1 : source.Shape[0];
        var row = Position(source.Row, part.Rows);
        var scaleRow = weight.Scales is null ? "0" : Position(source.ScaleRow, part.ScaleRows);
        var rest = scaleRow != "0" ? $", {row}, {scaleRow}" : row != "0" ? $", {row}" : "";
        return $"new WeightPart({name}, {CSharp.Number(rows)}{rest})";
    }

    private static string Position(int first, int perExpert) => (first, perExpert) switch
    {
        (_, 0) => CSharp.Number(first),
        (0, _) => $"expert * {CSharp.Number(perExpert)}",
        _ => $"{CSharp.Number(first)} + expert * {CSharp.Number(perExpert)}",
    };

    /// <param name="Source">The part of expert 0.</param>
    /// <param name="Rows">Rows from one expert to the next; 0 where there are no experts.</param>
    private sealed record ExpertPart(WeightSource Source, int Rows, int ScaleRows);
}
