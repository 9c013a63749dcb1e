using System.CommandLine;
using ModelDsl.Cli.Input;
using ModelDsl.Cli.Output;
using ModelDsl.Simulation.Experts;

namespace ModelDsl.Cli.Verbs;

/// <summary><c>dsmc plan balance --loads FILE …</c>: replicas of heavy experts, and where they go.</summary>
internal static class PlanBalanceVerb
{
    public static Command Create(IoContext io)
    {
        var verb = new Command("balance", "Gives heavy experts replicas and spreads them over GPUs, from recorded loads.");
        var loads = new Option<string>("--loads") { Description = "JSON: a list of layers, each a list with the load of every expert.", Required = true };
        var replicas = new Option<int>("--replicas") { Description = "Places for experts on all GPUs together.", Required = true };
        var groups = new Option<int>("--groups") { Description = "Groups of experts; 1 where routing knows none.", DefaultValueFactory = _ => 1 };
        var nodes = new Option<int>("--nodes") { Description = "Nodes.", DefaultValueFactory = _ => 1 };
        var gpus = new Option<int>("--gpus") { Description = "GPUs on all nodes together.", Required = true };
        var json = new Option<bool>("--json") { Description = "One JSON object." };
        foreach (var option in new Option[] { loads, replicas, groups, nodes, gpus, json }) verb.Options.Add(option);
        verb.SetAction(parsed =>
        {
            var layers = PlanFiles.Loads(parsed.GetValue(loads)!);
            var (r, g, n, u) = (parsed.GetValue(replicas), parsed.GetValue(groups), parsed.GetValue(nodes), parsed.GetValue(gpus));
            if (layers.Select(layer => ExpertBalancer.Problem(layer.Length, r, g, n, u)).FirstOrDefault(found => found is not null) is { } problem)
                throw TroubleException.Usage(problem);
            var placed = layers.Select(layer => ExpertBalancer.Balance(layer, r, g, n, u)).ToArray();
            io.Out.WriteLine(parsed.GetValue(json) ? BalanceReport.Json(placed) : BalanceReport.Text(placed));
            return ExitCode.Success;
        });
        return verb;
    }
}
