using System.Collections.Immutable;
using System.CommandLine;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Binding.Schema;
using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation;
using ModelDsl.Simulation.Costs;
using ModelDsl.Simulation.WhatIf;

namespace ModelDsl.Cli.Input;

/// <summary><c>--sweep parallel.pipeline=4,8,16</c>: the same run once for every value; several sweeps give every combination.</summary>
internal sealed class SweepInput
{
    private const int MostPoints = 1000;

    private readonly Option<string[]> _sweep = new("--sweep")
    {
        Description = "Plans the run for every value: --sweep parallel.pipeline=4,8,16, --sweep cluster.nodes=128,256. May be repeated for every combination.",
        AllowMultipleArgumentsPerToken = false,
        DefaultValueFactory = _ => [],
    };

    public void AddTo(Command verb) => verb.Options.Add(_sweep);

    /// <returns>Empty: nothing is swept.</returns>
    /// <exception cref="TroubleException">A sweep is not of that form.</exception>
    public ImmutableArray<SweepAxis> Axes(ParseResult parsed)
    {
        var axes = parsed.GetValue(_sweep)!.Select(text =>
            SweepAxis.TryParse(text) ?? throw TroubleException.Usage($"--sweep {text}: path=value,value is expected, as in parallel.pipeline=4,8,16")).ToImmutableArray();
        return axes.Aggregate(1L, (count, axis) => count * axis.Values.Length) <= MostPoints
            ? axes
            : throw TroubleException.Usage($"--sweep: that is more than {MostPoints} plans");
    }

    /// <param name="plan">Of a run whose layout is possible.</param>
    public static ImmutableArray<SweepPoint> Points(
        ImmutableArray<SweepAxis> axes, TrainSpec run, Func<IEnumerable<string>, BoundProgram> bind, Func<TrainSpec, TrainingWork, TrainingPlan> plan)
    {
        var works = new List<TrainingWork>();
        TrainingWork Work(TrainSpec train)
        {
            if (works.Find(work => work.Model == train.Model && work.Precision == train.Precision && work.Sequence == train.Data.Sequence && work.Tensor == train.Parallel.Tensor) is { } known) return known;
            works.Add(TrainingWork.Of(train));
            return works[^1];
        }

        return
        [
            .. SweepAxis.Combinations(axes).Select(values =>
            {
                var program = bind(axes.Zip(values, (axis, value) => $"{Within(axis.Path, run)}={value}"));
                var error = program.Diagnostics.FirstOrDefault(diagnostic => diagnostic.IsError);
                var train = program.Trains.FirstOrDefault(train => train.Name == run.Name);
                return error is not null || train is null
                    ? new SweepPoint(values, null, error is null ? "the run is gone" : $"{error.Id}: {error.Message}")
                    : new SweepPoint(values, plan(train with { Extensions = run.Extensions }, Work(train)), null);
            }),
        ];
    }

    /// <summary>What a train block holds is meant of this run; anything else is named as in an override.</summary>
    private static string Within(string path, TrainSpec run)
    {
        var (first, schema) = (path.Split('.', '[')[0].Trim(), Schemas.ByKind("train")!);
        return (path.Contains('.') ? schema.Child(first) is not null : schema.Attribute(first) is not null) ? $"{run.Name}.{path}" : path;
    }
}
