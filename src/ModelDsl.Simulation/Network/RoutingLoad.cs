using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Network;

/// <summary>How unevenly tokens are spread over experts.</summary>
/// <param name="Name"><c>balanced</c>, <c>powerlaw(1.01)</c>, or where the loads were recorded.</param>
/// <param name="Layers">Loads of every expert, a list per layer; empty: all equal. Any unit.</param>
public sealed record RoutingLoad(string Name, ImmutableArray<ImmutableArray<double>> Layers)
{
    public static RoutingLoad Balanced { get; } = new("balanced", []);

    /// <summary>The i-th of the experts by load gets i^-exponent; heavy ones are spread over the ranks as a shuffle would.</summary>
    public static RoutingLoad PowerLaw(double exponent, int experts)
    {
        // Any odd number near 0.618 of the count visits all places of a power of two, far from where it was.
        var stride = Math.Max(1, (int)(experts * 0.618) | 1);
        while (Gcd(stride, experts) != 1) stride += 2;
        var loads = new double[experts];
        for (var i = 0; i < experts; i++) loads[(int)((long)i * stride % experts)] = Math.Pow(i + 1, -exponent);
        return new RoutingLoad(FormattableString.Invariant($"powerlaw({exponent})"), [[.. loads]]);
    }

    /// <summary>Load of the heaviest rank (<paramref name="ranks"/> of equal numbers of experts) beside the mean, over all layers.</summary>
    public double Heaviest(int ranks, MoeSpec moe)
    {
        if (Layers.IsDefaultOrEmpty || ranks <= 1) return 1;
        var sum = 0.0;
        foreach (var layer in Layers) sum += Heaviest(layer, ranks, moe.Active);
        return sum / Layers.Length;
    }

    private static double Heaviest(ImmutableArray<double> loads, int ranks, int active)
    {
        var total = loads.Sum();
        if (total <= 0) return 1;
        // No expert can get a token twice.
        var most = total / active;
        var perRank = new double[ranks];
        var capped = 0.0;
        for (var i = 0; i < loads.Length; i++)
        {
            var load = Math.Min(loads[i], most);
            capped += load;
            perRank[(int)((long)i * ranks / loads.Length)] += load;
        }
        return perRank.Max() / (capped / ranks);
    }

    private static int Gcd(int a, int b) => b == 0 ? a : Gcd(b, a % b);
}
