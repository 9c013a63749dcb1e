using System.Collections.Immutable;
using ModelDsl.Compiler.Binding.Checks;
using ModelDsl.Compiler.Binding.Schema;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Binding;

/// <summary>Binds declarations in an order in which what they name comes first, and builds the specs of those without errors.</summary>
internal sealed class ProgramBinder(Declarations declarations, Evaluator evaluator, DiagnosticBag diagnostics)
{
    /// <summary>Runs that continue one another.</summary>
    private const int MaximumStages = 64;

    private readonly Dictionary<string, ModelSpec> _models = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PrecisionSpec> _precisions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ClusterSpec> _clusters = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TrainSpec> _trains = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ServeSpec> _serves = new(StringComparer.Ordinal);
    private readonly HashSet<string> _extending = new(StringComparer.Ordinal);
    private readonly HashSet<(string Model, string Policy)> _padded = new();

    public BoundProgram Program => new(
        InOrder(_models), InOrder(_precisions), InOrder(_clusters), InOrder(_trains), InOrder(_serves),
        ImmutableArray<Diagnostic>.Empty, ImmutableArray<SourceText>.Empty);

    public void Bind()
    {
        Each("model", Model, ModelChecks.Check);
        Each("precision", (name, block) => _precisions[name] = PrecisionBuilder.Build(name, block), PrecisionBuilder.Check);
        Each("cluster", Cluster);
        Each("train", Train);
        foreach (var item in declarations.Objects.Where(o => o.Kind.Text == "extend")) Extend(item, 0);
        Each("serve", Serve);
    }

    private void Each(string kind, Action<string, BoundBlock> build, Action<BoundBlock, DiagnosticBag>? check = null)
    {
        foreach (var item in declarations.Objects.Where(o => o.Kind.Text == kind))
        {
            if (diagnostics.IsFull) return;
            var before = diagnostics.ErrorCount;
            if (Block(item) is not { } block) continue;
            check?.Invoke(block, diagnostics);
            if (kind == "model" && DeviceNames.Contains(item.Name.Text)) diagnostics.Add(Catalogue.DeviceName(item.Name.Span, item.Name.Text));
            if (diagnostics.ErrorCount == before && !item.HasErrors) build(item.Name.Text, block);
            else References(block);
        }
    }

    private BoundBlock? Block(ObjectSyntax item)
    {
        if (declarations.Entries(item) is not { } entries) return null;
        var schema = Schemas.ByKind(item.Kind.Text)!;
        return new BlockBinder(evaluator, diagnostics).Bind(schema, item.Name.Span, item.Span, entries, item.HasErrors);
    }

    private void Model(string name, BoundBlock block)
    {
        var model = ModelBuilder.Build(name, block);
        if (ModelChecks.HasSaneSize(model, diagnostics)) _models[name] = model;
    }

    private void Cluster(string name, BoundBlock block)
    {
        _clusters[name] = ClusterBuilder.Build(name, block);
        ClusterChecks.Check(_clusters[name], block, diagnostics);
    }

    private void Train(string name, BoundBlock block)
    {
        if (!References(block)) return;
        var train = TrainBuilder.Build(name, block, _models[block.Reference("model")], Policy(block)!,
            _clusters[block.Reference("cluster")]);
        _trains[name] = train;
        TrainChecks.Check(train, block, diagnostics);
        Padding(train.Model, train.Precision, block);
    }

    private void Serve(string name, BoundBlock block)
    {
        if (!References(block)) return;
        var serve = ServeBuilder.Build(name, block, _models[block.Reference("model")], Policy(block)!,
            _clusters[block.Reference("cluster")]);
        _serves[name] = serve;
        ServeChecks.Check(serve, block, diagnostics);
        Padding(serve.Model, serve.Precision, block);
    }

    /// <summary>Once for every model and policy that meet, however many runs and deployments bring them together.</summary>
    private void Padding(ModelSpec model, PrecisionSpec policy, BoundBlock block)
    {
        if (_padded.Add((model.Name, policy.Name))) TileChecks.Check(model, policy, block.SpanOf("precision"), diagnostics);
    }

    private void Extend(ObjectSyntax item, int depth)
    {
        if (depth > MaximumStages)
        {
            diagnostics.Add(Catalogue.ChainTooLong(item.Name.Span, item.Name.Text, MaximumStages));
            return;
        }

        if (_trains.ContainsKey(item.Name.Text) || !_extending.Add(item.Name.Text)) return;
        var before = diagnostics.ErrorCount;
        var block = Block(item);
        if (item.Base is null)
        {
            diagnostics.Add(Catalogue.NeedsBase(item.Name.Span, item.Kind.Text));
            return;
        }

        if (declarations.Base(item, "train", "extend") is not { } run || block is null) return;
        if (run == item || _extending.Contains(run.Name.Text) && run.Kind.Text == "extend" && !_trains.ContainsKey(run.Name.Text))
        {
            diagnostics.Add(Catalogue.CyclicBase(item.Base.Span, $"{item.Name.Text} → {run.Name.Text}"));
            return;
        }

        if (run.Kind.Text == "extend") Extend(run, depth + 1);
        if (diagnostics.ErrorCount != before || item.HasErrors || !_trains.TryGetValue(run.Name.Text, out var continued)) return;
        var extended = TrainBuilder.Extend(item.Name.Text, block, continued);
        _trains[item.Name.Text] = extended;
        TrainChecks.CheckStages(extended, diagnostics);
    }

    /// <summary>Whether model, precision and cluster exist and are sound; what does not exist is reported.</summary>
    private bool References(BoundBlock block)
    {
        var sound = true;
        foreach (var row in block.Schema.Attributes)
        {
            if (row.Type is not ReferenceType reference || block.Find(row.Name) is not BoundReference named) continue;
            var known = reference.Kind switch
            {
                "model" => _models.ContainsKey(named.Name),
                "precision" => Policy(block) is not null,
                _ => _clusters.ContainsKey(named.Name),
            };
            sound &= known;
            if (known) continue;
            var declared = declarations.Find(named.Name);
            if (declared is not null && (declared.Kind.Text == reference.Kind || Schemas.ByKind(declared.Kind.Text) is null)) continue;
            var candidates = declarations.NamesOf(reference.Kind)
                .Concat(reference.Kind == "precision" ? ["fp32", "bf16", "fp8"] : []).ToArray();
            var hint = declared is not null
                ? $"'{named.Name}' is a {declared.Kind.Text}"
                : Spelling.DidYouMean(named.Name, candidates)
                    ?? (candidates.Length == 0 ? null : "declared: " + string.Join(", ", candidates));
            diagnostics.Add(Catalogue.UnknownReference(named.Span, reference.Kind, named.Name, hint));
        }
        return sound;
    }

    private PrecisionSpec? Policy(BoundBlock block)
    {
        var name = block.Reference("precision");
        if (_precisions.TryGetValue(name, out var declared)) return declared;
        return declarations.Find(name) is null ? BuiltInPrecision.ByName(name) : null;
    }

    private ImmutableArray<T> InOrder<T>(Dictionary<string, T> specs) =>
        declarations.Objects.Where(o => specs.ContainsKey(o.Name.Text)).Select(o => specs[o.Name.Text]).ToImmutableArray();
}
