using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Passes.Shard;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx.Targets;

namespace ModelDsl.Compiler.Passes;

/// <summary>A pass as data: what <c>dsmc passes</c> and the documentation print, and what the pipeline runs.</summary>
/// <param name="Name">As people write it in <c>--passes</c> and <c>--print-after</c>.</param>
/// <param name="Summary">One line.</param>
/// <param name="Description">What it does, when it may run, what it leaves.</param>
public sealed record Pass(
    string Name, string Summary, string Description, EquatableArray<PassOption> Options, Func<ModelGraph, PassContext, ModelGraph> Run);

/// <param name="Default">The value it has when nothing is said.</param>
public sealed record PassOption(string Name, string Summary, string Default);

/// <summary>A pass in a pipeline, with the options that differ from their defaults: <c>fuse(without: gate)</c>.</summary>
public sealed record PassCall(string Name, EquatableArray<PassSetting> Settings)
{
    public PassCall(string name)
        : this(name, [])
    {
    }
}

public sealed record PassSetting(string Name, string Value);

/// <summary>What a pass may ask besides the graph.</summary>
/// <param name="Layout">How the step is spread over ranks; null: it is not.</param>
public sealed record PassContext(
    PrecisionSpec Precision, PlanLimits Limits, Pass Pass, EquatableArray<PassSetting> Settings, ParallelLayout? Layout = null,
    PtxTarget? Target = null)
{
    /// <summary>The value of one of the pass's options.</summary>
    public string this[string option]
    {
        get
        {
            foreach (var setting in Settings)
                if (setting.Name == option)
                    return setting.Value;
            return Pass.Options.Single(known => known.Name == option).Default;
        }
    }

    /// <summary>The value of an option that is on or off.</summary>
    /// <exception cref="PassException">It is neither.</exception>
    public bool IsOn(string option) => this[option] switch
    {
        "on" => true,
        "off" => false,
        var other => throw new PassException($"{Pass.Name}: option {option} is '{other}'.", "It is on or off."),
    };
}

/// <summary>A pass cannot do what the caller's choice of passes, options or formats asks of it.</summary>
public sealed class PassException(string message, string remedy) : Exception(message)
{
    public string Remedy { get; } = remedy;
}
