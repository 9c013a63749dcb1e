namespace ModelDsl.Compiler.Specs;

/// <summary>How large a network is: built out to its limit, or as far as a cluster needs it.</summary>
/// <param name="Links">Between switches; to endpoints there is one each on top.</param>
/// <param name="LocalLinks">Those of them that stay within a group of a dragonfly, and are short.</param>
public sealed record NetworkCounts(long Endpoints, long Switches, long Links, long LocalLinks = 0)
{
    /// <summary>Built out to its limit.</summary>
    public static NetworkCounts Of(NetworkSpec network) => network.Kind switch
    {
        "multi_plane_fat_tree" => FatTree(2, network.Figure("radix")).Times(network.Planes),
        "dragonfly" => DragonflyShape.Of(network).Counts,
        "slim_fly" => SlimFlyShape.Of(network.Figure("radix")).Counts,
        _ => FatTree(network.Figure("layers"), network.Figure("radix")),
    };

    public NetworkCounts Times(int copies) => new(copies * Endpoints, copies * Switches, copies * Links, copies * LocalLinks);

    /// <summary>Every switch below the top has as many ports down as up: no path is narrower than an endpoint's.</summary>
    private static NetworkCounts FatTree(int layers, int radix)
    {
        long perTop = 1, half = radix / 2;
        for (var layer = 1; layer < layers; layer++) perTop *= half;
        return new NetworkCounts(2 * perTop * half, (2 * layers - 1) * perTop, 2 * (layers - 1) * perTop * half);
    }
}

/// <summary>A dragonfly: groups of switches that all know one another, and a link or more between any two groups.</summary>
/// <param name="Endpoints">At a switch.</param>
/// <param name="GroupSwitches">In a group.</param>
/// <param name="GlobalLinks">From a switch to other groups.</param>
public sealed record DragonflyShape(int Endpoints, int GroupSwitches, int GlobalLinks, int Groups)
{
    /// <summary>
    /// The balanced shape: a quarter of the ports to endpoints, a quarter to other groups, the rest within the group; and as many groups as
    /// the published comparison counts (ISCA 2025, table 3: 511 of switches with 64 ports), two fewer than could be.
    /// </summary>
    public static DragonflyShape Of(NetworkSpec network)
    {
        var quarter = network.Figure("radix") / 4;
        return new DragonflyShape(quarter, 2 * quarter, quarter, network.TryFigure("groups") ?? Math.Max(1, MostGroups(network.Figure("radix")) - 2));
    }

    /// <summary>Groups when any two share one link.</summary>
    public static int MostGroups(int radix) => 2 * (radix / 4) * (radix / 4) + 1;

    public long LocalLinksPerGroup => (long)GroupSwitches * (GroupSwitches - 1) / 2;

    public NetworkCounts Counts => For(Groups);

    /// <summary>With some of the groups. A group that is alone needs no links to others.</summary>
    public NetworkCounts For(int groups)
    {
        var switches = (long)groups * GroupSwitches;
        var local = groups * LocalLinksPerGroup;
        return new NetworkCounts(switches * Endpoints, switches, local + (groups > 1 ? switches * GlobalLinks / 2 : 0), local);
    }
}

/// <summary>
/// A slim fly after McKay, Miller and Siran: 2q^2 switches, any two of them at most two links apart. Counted for every q of the form
/// 4w - 1, 4w, 4w + 1, as the published comparison does; the graph itself is known for prime powers only.
/// </summary>
/// <param name="Degree">Links from a switch to others.</param>
/// <param name="Endpoints">At a switch.</param>
public sealed record SlimFlyShape(int Q, int Degree, int Endpoints)
{
    /// <summary>The largest that switches of so many ports can make.</summary>
    public static SlimFlyShape Of(int radix)
    {
        var best = new SlimFlyShape(0, 0, 0);
        for (var q = 3; q <= radix; q++)
        {
            if (q % 4 == 2) continue;
            var delta = q % 4 == 1 ? 1 : q % 4 == 3 ? -1 : 0;
            var degree = (3 * q - delta) / 2;
            var endpoints = (degree + 1) / 2;
            if (degree + endpoints <= radix) best = new SlimFlyShape(q, degree, endpoints);
        }
        return best;
    }

    public NetworkCounts Counts => new(2L * Q * Q * Endpoints, 2L * Q * Q, (long)Q * Q * Degree);
}
