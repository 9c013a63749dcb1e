using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Generators;

/// <summary>What all files came to: messages, each once although several files may use the one at fault, and a class per name.</summary>
internal sealed record CompiledProject(EquatableArray<LocatedDiagnostic> Diagnostics, EquatableArray<CompiledModel> Models)
{
    public static CompiledProject Of(ImmutableArray<CompiledFile> files)
    {
        var diagnostics = files.SelectMany(file => file.Diagnostics).ToList();
        var models = new Dictionary<string, CompiledModel>(StringComparer.OrdinalIgnoreCase);
        foreach (var model in files.SelectMany(file => file.Models))
        {
            var name = $"{model.Namespace}.{model.ClassName}";
            if (models.TryGetValue(name, out var first))
                diagnostics.Add(LocatedDiagnostic.Error(
                    LocatedDiagnostic.BadOption,
                    $"model '{model.Plan.Model.Name}' would be the class {name}, and so is '{first.Plan.Model.Name}' in '{first.Path}'",
                    model.Path));
            else
                models.Add(name, model);
        }
        return new CompiledProject(diagnostics.Distinct().ToEquatable(), models.Values.ToEquatable());
    }
}
